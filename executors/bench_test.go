package executors

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tasker-systems/tasker-worker/engine"
)

// BenchmarkExecute measures a round trip through a slot with a 500 byte context; the fake host is a Go program, so most
// of what remains is the worker's share and the pipes.
func BenchmarkExecute(b *testing.B) {
	for _, inFlight := range []int{1, 16} {
		b.Run(fmt.Sprintf("in_flight=%d", inFlight), func(b *testing.B) {
			sc := startScene(b, sceneOptions{Config: Config{StepsPerProcess: inFlight}, boot: "quiet", handlers: "echo"})
			context := []byte(`{"data":"` + strings.Repeat("x", 480) + `"}`)
			b.SetParallelism(max(1, inFlight/2)) // two cores run twice as many goroutines
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				a := attempt("echo")
				a.Task.Context = context
				for pb.Next() {
					if o := sc.run(b.Context(), a); o.Kind != engine.OutcomeSucceeded {
						b.Errorf("outcome is %s", describe(o))
						return
					}
				}
			})
		})
	}
}
