// Command argocd runs the customizations of an argocd-cm ConfigMap as Argo CD does, with Argo CD's own code.
//
// The argument is the file of the ConfigMap. Each line of the standard input is a request, each line of the standard output
// its result, both JSON. It contacts no cluster: a patch is returned as Argo CD's server would send it.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/lua"
	"github.com/argoproj/gitops-engine/pkg/health"
	jsonpatch "github.com/evanphx/json-patch"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// longestLine is the size of the largest request: an object of etcd's limit, with room to spare.
const longestLine = 8 << 20

// request asks for the health of an object, for the actions that are offered for it, or for what one of them does; or whether
// an Application has no unknown field.
type request struct {
	Evaluate string          `json:"evaluate"` // "health", "discovery", "action" or "application"
	Action   string          `json:"action"`
	Object   json.RawMessage `json:"object"`
}

// impact is what an action does to one object.
type impact struct {
	Operation lua.K8SOperation           `json:"operation"`
	Resource  *unstructured.Unstructured `json:"resource"`
	Patch     json.RawMessage            `json:"patch,omitempty"` // the merge patch of a "patch"
}

type result struct {
	Health  *health.HealthStatus      `json:"health,omitempty"`
	Actions []v1alpha1.ResourceAction `json:"actions,omitempty"`
	Impacts []impact                  `json:"impacts,omitempty"`
	Error   string                    `json:"error,omitempty"`
}

func main() {
	if len(os.Args) != 2 {
		fail(fmt.Errorf("name the file of an argocd-cm ConfigMap"))
	}
	overrides, err := readOverrides(os.Args[1])
	if err != nil {
		fail(err)
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, longestLine)
	output := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		answer, err := run(lua.VM{ResourceOverrides: overrides}, lines.Bytes())
		if err != nil {
			answer = result{Error: err.Error()}
		}
		if err := output.Encode(answer); err != nil {
			fail(err)
		}
	}
	if err := lines.Err(); err != nil {
		fail(err)
	}
}

// readOverrides reads the keys of the form resource.customizations.<type>.<group>_<kind>, as Argo CD's settings do.
func readOverrides(file string) (map[string]v1alpha1.ResourceOverride, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var config struct {
		Data map[string]string `json:"data"`
	}
	if err := yaml.Unmarshal(content, &config); err != nil {
		return nil, err
	}
	overrides := map[string]v1alpha1.ResourceOverride{}
	for key, value := range config.Data {
		parts := strings.SplitN(key, ".", 4)
		if len(parts) < 4 || parts[0]+"."+parts[1] != "resource.customizations" {
			return nil, fmt.Errorf("%s is no customization", key)
		}
		name := strings.Replace(parts[3], "_", "/", 1)
		override := overrides[name]
		switch parts[2] {
		case "health":
			override.HealthLua = value
		case "actions":
			override.Actions = value
		default:
			return nil, fmt.Errorf("%s is of an unknown type", key)
		}
		overrides[name] = override
	}
	return overrides, nil
}

func run(vm lua.VM, line []byte) (result, error) {
	var asked request
	if err := json.Unmarshal(line, &asked); err != nil {
		return result{}, err
	}
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(asked.Object); err != nil {
		return result{}, err
	}
	switch asked.Evaluate {
	case "health":
		found, err := health.GetResourceHealth(object, lua.ResourceHealthOverrides(vm.ResourceOverrides))
		return result{Health: found}, err
	case "discovery":
		return discover(vm, object)
	case "application":
		return result{}, yaml.UnmarshalStrict(asked.Object, &v1alpha1.Application{})
	case "action":
		return act(vm, object, asked.Action)
	}
	return result{}, fmt.Errorf("unknown request %q", asked.Evaluate)
}

func discover(vm lua.VM, object *unstructured.Unstructured) (result, error) {
	scripts, err := vm.GetResourceActionDiscovery(object)
	if err != nil {
		return result{}, err
	}
	actions, err := vm.ExecuteResourceActionDiscovery(object, scripts)
	// Their order varies.
	slices.SortFunc(actions, func(one, other v1alpha1.ResourceAction) int { return strings.Compare(one.Name, other.Name) })
	return result{Actions: actions}, err
}

func act(vm lua.VM, object *unstructured.Unstructured, name string) (result, error) {
	action, err := vm.GetResourceAction(object, name)
	if err != nil {
		return result{}, err
	}
	impacted, err := vm.ExecuteResourceAction(object, action.ActionLua, nil)
	if err != nil {
		return result{}, err
	}
	impacts := make([]impact, 0, len(impacted))
	for _, each := range impacted {
		done := impact{Operation: each.K8SOperation, Resource: each.UnstructuredObj}
		if each.K8SOperation == lua.PatchOperation {
			if done.Patch, err = mergePatch(object, each.UnstructuredObj); err != nil {
				return result{}, err
			}
		}
		impacts = append(impacts, done)
	}
	return result{Impacts: impacts}, nil
}

// mergePatch returns the patch that Argo CD's server sends for a changed object.
func mergePatch(before, after *unstructured.Unstructured) (json.RawMessage, error) {
	old, err := before.MarshalJSON()
	if err != nil {
		return nil, err
	}
	changed, err := after.MarshalJSON()
	if err != nil {
		return nil, err
	}
	return jsonpatch.CreateMergePatch(old, changed)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "argocd:", err)
	os.Exit(1)
}
