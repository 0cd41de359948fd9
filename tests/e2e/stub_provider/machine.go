package main

import (
	"context"
	"crypto/rand"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// machine exists only in the state.
type machine struct {
	// identity is whom the cloud takes the caller for.
	identity string
}

type machineModel struct {
	ID        types.String `tfsdk:"id"`
	Region    types.String `tfsdk:"region"`
	UserData  types.String `tfsdk:"user_data"`
	CreatedBy types.String `tfsdk:"created_by"`
}

func newMachine() resource.Resource { return &machine{} }

func (*machine) Metadata(_ context.Context, _ resource.MetadataRequest, response *resource.MetadataResponse) {
	response.TypeName = "stub_machine"
}

func (*machine) Schema(_ context.Context, _ resource.SchemaRequest, response *resource.SchemaResponse) {
	kept := []planmodifier.String{stringplanmodifier.UseStateForUnknown()}
	replaced := []planmodifier.String{stringplanmodifier.RequiresReplace()}
	response.Schema = schema.Schema{Attributes: map[string]schema.Attribute{
		"id":         schema.StringAttribute{Computed: true, PlanModifiers: kept},
		"region":     schema.StringAttribute{Required: true, PlanModifiers: replaced},
		"user_data":  schema.StringAttribute{Optional: true, PlanModifiers: replaced},
		"created_by": schema.StringAttribute{Computed: true, PlanModifiers: kept},
	}}
}

func (m *machine) Configure(_ context.Context, request resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	// The provider is not configured when a configuration is only validated.
	if identity, ok := request.ProviderData.(string); ok {
		m.identity = identity
	}
}

func (m *machine) Create(ctx context.Context, request resource.CreateRequest, response *resource.CreateResponse) {
	var model machineModel
	response.Diagnostics.Append(request.Plan.Get(ctx, &model)...)
	model.ID = types.StringValue("machine-" + rand.Text())
	model.CreatedBy = types.StringValue(m.identity)
	response.Diagnostics.Append(response.State.Set(ctx, &model)...)
}

func (*machine) Read(context.Context, resource.ReadRequest, *resource.ReadResponse) {}

func (*machine) Update(context.Context, resource.UpdateRequest, *resource.UpdateResponse) {}

func (*machine) Delete(context.Context, resource.DeleteRequest, *resource.DeleteResponse) {}
