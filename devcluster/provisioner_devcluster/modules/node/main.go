// Command node is what Kubernetes runs on a machine, in one binary: its first argument names the component to run.
//
// The launcher in the Python package around this module builds it once and starts it once per component, inside the
// namespaces of a node, whose end is the end of all in them. It knows nothing of addresses, certificates or directories;
// those come as the component's own flags and files.
package main

import (
	"context"
	"fmt"
	"os"

	"k8s.io/component-base/cli"
	kubeproxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

// usageError is the exit code for a wrong first argument.
const usageError = 2

func main() {
	if len(os.Args) < 2 {
		fail("name a component: kubelet or kube-proxy")
	}
	component := os.Args[1]
	// Each component believes to be its own program: usage texts and argument parsers read os.Args.
	os.Args = os.Args[1:]
	switch component {
	case "kubelet":
		os.Exit(cli.Run(kubelet.NewKubeletCommand(context.Background())))
	case "kube-proxy":
		os.Exit(cli.Run(kubeproxy.NewProxyCommand()))
	default:
		fail(fmt.Sprintf("no such component: %q", component))
	}
}

func fail(message string) {
	fmt.Fprintln(os.Stderr, "node: "+message)
	os.Exit(usageError)
}
