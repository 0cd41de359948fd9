// Command flux judges objects as Flux's kustomize-controller does: by its health check expressions, and by kstatus alone.
//
// The argument is a part of a Kustomization's spec, with `healthCheckExprs`. Each line of the standard input is an object, each
// line of the standard output its result, both JSON. A Kustomization is not judged: it must only have no unknown field. The
// program contacts no cluster.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	kustomizev1 "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/runtime/cel"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

// longestLine is the size of the largest object: etcd's limit, with room to spare.
const longestLine = 8 << 20

type result struct {
	Kstatus status.Status `json:"kstatus"`
	Flux    status.Status `json:"flux"`
	Error   string        `json:"error,omitempty"`
}

func main() {
	if len(os.Args) != 2 {
		fail(fmt.Errorf("name a file with healthCheckExprs"))
	}
	evaluators, err := readExpressions(os.Args[1])
	if err != nil {
		fail(err)
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, longestLine)
	output := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		answer, err := judge(evaluators, lines.Bytes())
		if err != nil {
			answer.Error = err.Error()
		}
		if err := output.Encode(answer); err != nil {
			fail(err)
		}
	}
	if err := lines.Err(); err != nil {
		fail(err)
	}
}

func readExpressions(file string) (map[schema.GroupVersionKind]*cel.StatusEvaluator, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var spec kustomizev1.KustomizationSpec
	if err := yaml.UnmarshalStrict(content, &spec); err != nil {
		return nil, err
	}
	evaluators := map[schema.GroupVersionKind]*cel.StatusEvaluator{}
	for _, check := range spec.HealthCheckExprs {
		evaluator, err := cel.NewStatusEvaluator(&check.HealthCheckExpressions)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", check.Kind, err)
		}
		evaluators[schema.FromAPIVersionAndKind(check.APIVersion, check.Kind)] = evaluator
	}
	return evaluators, nil
}

func judge(evaluators map[schema.GroupVersionKind]*cel.StatusEvaluator, line []byte) (result, error) {
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(line); err != nil {
		return result{}, err
	}
	if object.GetKind() == kustomizev1.KustomizationKind {
		return result{}, yaml.UnmarshalStrict(line, &kustomizev1.Kustomization{})
	}
	computed, err := status.Compute(object)
	if err != nil {
		return result{}, err
	}
	evaluator, known := evaluators[object.GroupVersionKind()]
	if !known {
		return result{}, fmt.Errorf("no expressions for %s", object.GroupVersionKind())
	}
	evaluated, err := evaluator.Evaluate(context.Background(), object)
	if err != nil {
		return result{}, err
	}
	return result{Kstatus: computed.Status, Flux: evaluated.Status}, nil
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "flux:", err)
	os.Exit(1)
}
