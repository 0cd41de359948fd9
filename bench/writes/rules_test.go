// Cost of the rules of a CustomResourceDefinition, by the API server's own code. Run by bench.writes.rule_costs.
package rules

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"testing"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	v1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/model"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	limits "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/common"
)

type object = map[string]any

// One definition, and the objects of consecutive writes of it, the first of which is a creation.
type input struct {
	Schemas map[string]v1.JSONSchemaProps
	Writes  []struct {
		Name   string
		Object object
	}
}

func BenchmarkRules(b *testing.B) {
	for version := range read(b).Schemas {
		var before object
		for number, write := range read(b).Writes {
			structural, validator := compiled(b, version)
			now := integers(write.Object).(object)
			defaulting.Default(now, structural)
			old := before
			before = now
			if number == 0 {
				now = object{"metadata": now["metadata"], "spec": now["spec"]}
			}
			b.Run(version+"/"+write.Name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					validate(b, structural, validator, now, old)
				}
			})
		}
	}
}

func validate(b *testing.B, structural *schema.Structural, validator *cel.Validator, now, old object) {
	var former any
	var options []cel.Option
	if old != nil {
		former = old
		options = append(options, cel.WithRatcheting(common.NewCorrelatedObject(now, old, &model.Structural{Structural: structural})))
	}
	if errs, _ := validator.Validate(context.Background(), nil, structural, now, former, limits.RuntimeCELCostBudget, options...); len(errs) > 0 {
		b.Fatal(errs)
	}
}

func compiled(b *testing.B, version string) (*schema.Structural, *cel.Validator) {
	written := read(b).Schemas[version]
	internal := &apiextensions.JSONSchemaProps{}
	if err := v1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(&written, internal, nil); err != nil {
		b.Fatal(err)
	}
	structural, err := schema.NewStructural(internal)
	if err != nil {
		b.Fatal(err)
	}
	return structural, cel.NewValidator(structural, true, limits.PerCallLimit)
}

func read(b *testing.B) input {
	text, err := os.ReadFile("input.json")
	if err != nil {
		b.Fatal(err)
	}
	var found input
	if err := json.Unmarshal(text, &found); err != nil {
		b.Fatal(err)
	}
	return found
}

// Numbers as the API server reads them: JSON's have no type.
func integers(value any) any {
	switch value := value.(type) {
	case object:
		for key := range value {
			value[key] = integers(value[key])
		}
	case []any:
		for at := range value {
			value[at] = integers(value[at])
		}
	case float64:
		if value == math.Trunc(value) {
			return int64(value)
		}
	}
	return value
}
