// Command terraform-provider-stub is a Terraform provider of a cloud that does not exist, for tests of credentials.
//
// Like the providers of clouds it finds them in its environment: a key, or the role of a token that kubelet writes.
package main

import (
	"context"
	"log"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-framework/resource"
)

// address is what templates name as the provider's source.
const address = "example.com/clouds/stub"

func main() {
	if err := providerserver.Serve(context.Background(), newStub, providerserver.ServeOpts{Address: address}); err != nil {
		log.Fatal(err)
	}
}

type stub struct{}

func newStub() provider.Provider { return stub{} }

func (stub) Metadata(_ context.Context, _ provider.MetadataRequest, response *provider.MetadataResponse) {
	response.TypeName = "stub"
}

func (stub) Schema(context.Context, provider.SchemaRequest, *provider.SchemaResponse) {}

// Configure fails without credentials, so that nothing is even planned.
func (stub) Configure(_ context.Context, _ provider.ConfigureRequest, response *provider.ConfigureResponse) {
	identity, err := authenticate()
	if err != nil {
		response.Diagnostics.AddError("No valid credentials for the stub cloud", err.Error())
		return
	}
	response.ResourceData = identity
}

func (stub) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{newMachine}
}

func (stub) DataSources(context.Context) []func() datasource.DataSource { return nil }
