// Cost of a ValidatingAdmissionPolicy, by the API server's own code. Run by bench.writes.policy_costs.
package policy

import (
	"context"
	"encoding/json"
	"os"
	"syscall"
	"testing"

	v1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	"k8s.io/apiserver/pkg/admission/plugin/webhook/matchconditions"
	limits "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/cel/environment"
)

var (
	version = schema.GroupVersion{Group: "provisioner.dev", Version: "v1alpha1"}
	kind    = version.WithKind("ProvisionerJob")
	jobs    = version.WithResource("provisionerjobs")
)

// Policies by name, and creations of jobs that they judge.
type input struct {
	Policies map[string]v1.ValidatingAdmissionPolicy
	Cases    []struct {
		Name   string
		Policy string
		Params map[string]any
		Object map[string]any
		Warns  bool
	}
}

func BenchmarkPolicy(b *testing.B) {
	text, err := os.ReadFile("input.json")
	if err != nil {
		b.Fatal(err)
	}
	var found input
	if err := json.Unmarshal(text, &found); err != nil {
		b.Fatal(err)
	}
	for _, each := range found.Cases {
		validator := compiled(b, found.Policies[each.Policy])
		params := &unstructured.Unstructured{Object: each.Params}
		job := &unstructured.Unstructured{Object: each.Object}
		b.Run(each.Name, func(b *testing.B) {
			b.ReportAllocs()
			before := cpu()
			for b.Loop() {
				if warns := warns(b, validator, job, params); warns != each.Warns {
					b.Fatalf("warns: %v", warns)
				}
			}
			b.ReportMetric(float64(cpu()-before)/float64(b.N), "cpu-ns/op")
		})
	}
}

func warns(b *testing.B, validator validating.Validator, job, params *unstructured.Unstructured) bool {
	submitter := &user.DefaultInfo{Name: "ann", Groups: []string{"developers", user.AllAuthenticated}}
	creation := admission.NewAttributesRecord(
		job, nil, kind, job.GetNamespace(), job.GetName(), jobs, "", admission.Create, nil, false, submitter)
	versioned, err := admission.NewVersionedAttributes(creation, kind, nil)
	if err != nil {
		b.Fatal(err)
	}
	result := validator.Validate(context.Background(), jobs, versioned, params, nil, limits.RuntimeCELCostBudget, nil)
	for _, decision := range result.Decisions {
		if decision.Evaluation == validating.EvalError {
			b.Fatal(decision.Message)
		}
	}
	return len(result.Decisions) > 0
}

// As the API server's plugin compiles it.
func compiled(b *testing.B, policy v1.ValidatingAdmissionPolicy) validating.Validator {
	compiler, err := cel.NewCompositedCompiler(environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion()))
	if err != nil {
		b.Fatal(err)
	}
	known := cel.OptionalVariableDeclarations{HasParams: true, HasAuthorizer: true}
	compile := func(expressions []cel.ExpressionAccessor, known cel.OptionalVariableDeclarations) cel.ConditionEvaluator {
		evaluator := compiler.CompileCondition(expressions, known, environment.StoredExpressions)
		for _, err := range evaluator.CompilationErrors() {
			b.Fatal(err)
		}
		return evaluator
	}
	var variables []cel.NamedExpressionAccessor
	for _, each := range policy.Spec.Variables {
		variables = append(variables, &validating.Variable{Name: each.Name, Expression: each.Expression})
	}
	compiler.CompileAndStoreVariables(variables, known, environment.StoredExpressions)
	var conditions, validations, messages []cel.ExpressionAccessor
	for _, each := range policy.Spec.MatchConditions {
		condition := matchconditions.MatchCondition(each)
		conditions = append(conditions, &condition)
	}
	for _, each := range policy.Spec.Validations {
		validations = append(validations, &validating.ValidationCondition{Expression: each.Expression, Message: each.Message})
		messages = append(messages, &validating.MessageExpressionCondition{MessageExpression: each.MessageExpression})
	}
	failure := policy.Spec.FailurePolicy
	matcher := matchconditions.NewMatcher(compile(conditions, known), failure, "policy", "validate", policy.Name)
	text := cel.OptionalVariableDeclarations{HasParams: true}
	return validating.NewValidator(
		compile(validations, known), matcher, compile(nil, known), compile(messages, text), failure, nil)
}

func cpu() int64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return used.Utime.Nano() + used.Stime.Nano()
}
