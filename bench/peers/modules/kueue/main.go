// Command kueue is Kueue's queueing as the bench measures it: its caches, core controllers and scheduler, from its own packages.
//
// Left out of its own main are webhooks and their certificates, the integrations that make Workloads of other kinds, MultiKueue,
// and all endpoints. The bench creates Workloads itself. Everything else is set as in its own configuration file.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	configapi "sigs.k8s.io/kueue/apis/config/v1beta2"
	kueuealpha "sigs.k8s.io/kueue/apis/kueue/v1alpha1"
	kueue "sigs.k8s.io/kueue/apis/kueue/v1beta2"
	qcache "sigs.k8s.io/kueue/pkg/cache/queue"
	schdcache "sigs.k8s.io/kueue/pkg/cache/scheduler"
	"sigs.k8s.io/kueue/pkg/config"
	"sigs.k8s.io/kueue/pkg/constants"
	"sigs.k8s.io/kueue/pkg/controller/core"
	"sigs.k8s.io/kueue/pkg/controller/core/indexer"
	"sigs.k8s.io/kueue/pkg/dra"
	"sigs.k8s.io/kueue/pkg/metrics"
	"sigs.k8s.io/kueue/pkg/resources"
	"sigs.k8s.io/kueue/pkg/scheduler"
	preemptexpectations "sigs.k8s.io/kueue/pkg/scheduler/preemption/expectations"
)

func main() {
	configuration := flag.String("config", "", "Kueue's configuration file")
	qps := flag.Float64("qps", float64(configapi.DefaultClientConnectionQPS), "requests a second; negative: no limit")
	burst := flag.Int("burst", int(configapi.DefaultClientConnectionBurst), "requests at once")
	flag.Parse() // --kubeconfig is a flag of controller-runtime

	ctrl.SetLogger(zap.New())
	if err := run(*configuration, float32(*qps), *burst); err != nil {
		fmt.Fprintln(os.Stderr, "kueue:", err)
		os.Exit(1)
	}
}

func run(file string, qps float32, burst int) error {
	scheme, err := newScheme()
	if err != nil {
		return err
	}
	options, cfg, err := config.Load(scheme, file)
	if err != nil {
		return err
	}
	options.LeaderElection = false
	options.HealthProbeBindAddress = "0"
	options.PprofBindAddress = "0"
	options.Metrics = metricsserver.Options{BindAddress: "0"}
	metrics.Register()

	connection, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	limit(connection, qps, burst)
	manager, err := ctrl.NewManager(connection, options)
	if err != nil {
		return err
	}
	ctx := ctrl.SetupSignalHandler()
	if err := indexer.Setup(ctx, manager.GetFieldIndexer()); err != nil {
		return err
	}
	if err := setUp(ctx, manager, &cfg); err != nil {
		return err
	}
	return manager.Start(ctx)
}

func newScheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	add := runtime.NewSchemeBuilder(
		clientgoscheme.AddToScheme, kueue.AddToScheme, kueuealpha.AddToScheme, configapi.AddToScheme,
	)
	return scheme, add.AddToScheme(scheme)
}

// limit sets one limit for all kinds, as Kueue's main does.
func limit(connection *rest.Config, qps float32, burst int) {
	connection.QPS = -1
	if qps >= 0 {
		connection.RateLimiter = flowcontrol.NewTokenBucketRateLimiter(qps, burst)
	}
}

func setUp(ctx context.Context, manager ctrl.Manager, cfg *configapi.Configuration) error {
	formatter := resources.NewResourceFormatter()
	expectations := preemptexpectations.New()
	backed := dra.NewExtendedResourceCache()
	requeuer := qcache.NewRequeuer()
	if err := manager.Add(requeuer); err != nil {
		return err
	}
	cache := schdcache.New(manager.GetClient(), schdcache.WithResourceFormatter(formatter))
	queues := qcache.NewManager(
		manager.GetClient(), cache, requeuer,
		qcache.WithPreemptionExpectations(expectations), qcache.WithResourceFormatter(formatter),
		qcache.WithDRABackedResources(backed),
	)
	// Both wake what waits on them when the program ends.
	go queues.CleanUpOnContext(ctx)
	go cache.CleanUpOnContext(ctx)
	failed, err := core.SetupControllers(manager, queues, cache, cfg, core.SetupControllersOpts{
		PreemptionExpectations: expectations,
		DRAMapper:              dra.NewResourceMapper(),
		DRABackedResources:     backed,
		ResourceFormatter:      formatter,
	})
	if err != nil {
		return fmt.Errorf("controller of %s: %w", failed, err)
	}
	return manager.Add(scheduler.New(
		queues, cache, manager.GetClient(), manager.GetEventRecorder(constants.AdmissionName),
		scheduler.WithPreemptionExpectations(expectations), scheduler.WithResourceFormatter(formatter),
	))
}
