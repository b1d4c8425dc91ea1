package crashtest

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// workerEnv holds a worker's job. Where it is set, this binary is a worker.
const workerEnv = "RESPONSEHUB_CRASHTEST_WORKER"

func TestMain(m *testing.M) {
	if v := os.Getenv(workerEnv); v != "" {
		var j job
		if err := json.Unmarshal([]byte(v), &j); err != nil {
			fmt.Fprintln(os.Stderr, "the job cannot be read:", err)
			os.Exit(1)
		}
		if err := j.work(); err != nil {
			fmt.Fprintln(os.Stderr, "the worker failed:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	// A story takes a fifth of a second and more; -rapid.checks on the command line overrides this.
	if err := flag.Set("rapid.checks", "30"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}
