package executors

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tasker-systems/tasker-worker/engine"
)

// The worker and the hosts redact with the same mask, and from the same size on.
func TestSecretsHaveOneMaskAndOneMinimum(t *testing.T) {
	t.Parallel()
	for _, host := range []struct{ file, mask, minimum string }{
		{"python/tasker_host/secrets.py", "MASK = %q\n", "MIN_BYTES = %d\n"},
		{"ruby/tasker_host/secrets.rb", "MASK = %q\n", "MIN_BYTES = %d\n"},
		{"node/tasker_host/secrets.js", "MASK = '%s';\n", "MIN_BYTES = %d;\n"},
	} {
		content, err := hostFiles.ReadFile(host.file)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range []string{fmt.Sprintf(host.mask, engine.Redacted), fmt.Sprintf(host.minimum, engine.SecretBytesMin)} {
			if !strings.Contains(string(content), line) {
				t.Errorf("%s does not have the line %s", host.file, line)
			}
		}
	}
}
