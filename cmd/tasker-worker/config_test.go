package main

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestConfigPrintsEveryVariable(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "DATABASE_URL=postgres://me:geheim@db:5432/app", "TASKER_LEASE=1h", "TASKER_MAX_STEPS=")
	golden(t, "config", w.succeed(t, "config"))
	var all []variable
	if err := json.Unmarshal([]byte(w.succeed(t, "config", "--json")), &all); err != nil {
		t.Fatal(err)
	}
	lease := all[max(0, slices.IndexFunc(all, func(v variable) bool { return v.Name == "TASKER_LEASE" }))]
	want := variable{"TASKER_LEASE", "1h", "15s", lease.Meaning}
	if diff := cmp.Diff(want, lease); diff != "" || len(all) != len(variables(config{})) {
		t.Errorf("%d variables, and (-want +got):\n%s", len(all), diff)
	}
}

func TestWrongVariablesAreNamed(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		environ string
		want    []string // lines
	}{
		{"TASKER_LEASE=soon", []string{`configuration: TASKER_LEASE is "soon", which is no duration such as 500ms, 30s or 5m`}},
		{"TASKER_LEASE=1ms", []string{"configuration: TASKER_LEASE is 1ms; it must be between 100ms and 24h"}},
		{"TASKER_DRAIN_TIMEOUT=-1s", []string{"configuration: TASKER_DRAIN_TIMEOUT is -1s; it must be between 0s and 24h"}},
		{"TASKER_MAX_STEPS=many", []string{`configuration: TASKER_MAX_STEPS is "many", which is no whole number`}},
		{"TASKER_MAX_STEPS=0", []string{"configuration: TASKER_MAX_STEPS is 0; it must be between 1 and 10000"}},
		{"TASKER_DB_CONNECTIONS=2", []string{"configuration: TASKER_DB_CONNECTIONS is 2; it must be between 4 and 1000"}},
		{"TASKER_LOG_LEVEL=loud", []string{`configuration: TASKER_LOG_LEVEL is "loud"; it must be debug, info, warn or error`}},
		{"TASKER_LOG_FORMAT=xml", []string{`configuration: TASKER_LOG_FORMAT is "xml"; it must be auto, text or json`}},
		{"TASKER_QUEUES=a:b", []string{`configuration: TASKER_QUEUES has "a:b"; the limit after the colon must be between 1 and 10000`}},
		{"TASKER_QUEUES=A", []string{`configuration: TASKER_QUEUES has "A"; a queue is named with lower-case letters, digits, - and _`}},
		{"TASKER_QUEUES=a,a:2", []string{`configuration: TASKER_QUEUES has "a" twice`}},
		{"TASKER_PASS_ENV=PGHOST", []string{`configuration: TASKER_PASS_ENV has "PGHOST", which handlers never get: give them a variable of another name`}},
		{"TASKER_QUEUE=a", []string{"configuration: TASKER_QUEUE is no variable of tasker-worker; did you mean TASKER_QUEUES?"}},
		{"TASKER_QUEUE=a TASKER_LEASE=soon TASKER_PROCESSES=0", []string{
			"configuration: 3 variables are wrong",
			`  TASKER_LEASE is "soon", which is no duration such as 500ms, 30s or 5m`,
			"  TASKER_PROCESSES is 0; it must be between 1 and 100",
			"  TASKER_QUEUE is no variable of tasker-worker; did you mean TASKER_QUEUES?",
		}},
	} {
		t.Run(test.environ, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, strings.Fields(test.environ)...)
			got := w.run(t, "config")
			if diff := cmp.Diff("tasker-worker: "+strings.Join(test.want, "\n")+"\n", got.stderr); diff != "" || got.code != exitSetup {
				t.Errorf("exit code %d, stderr (-want +got):\n%s", got.code, diff)
			}
			name, value, _ := strings.Cut(strings.Fields(test.environ)[0], "=")
			if name != "TASKER_QUEUE" && !strings.Contains(got.stdout, "\n"+name+"="+value+"\n") {
				t.Errorf("config does not show %s as it was given:\n%s", name, got.stdout)
			}
		})
	}
}

func TestVariablesOfOthersAreLeftAlone(t *testing.T) {
	t.Parallel()
	newWorld(t, "TASKER_TEST_DATABASE_URL=postgres://somewhere", "RAILS_ENV=production").succeed(t, "config")
}

// TestNoPieceOfThePasswordIsPrinted has URLs whose password ends elsewhere than it seems to.
func TestNoPieceOfThePasswordIsPrinted(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"postgres://me:Zq7w@Xk9v@127.0.0.1:1/app", "postgres://me:1/Zq7wXk9v@127.0.0.1:1/app", "postgres://me:1#Zq7wXk9v@127.0.0.1:1/app",
		"postgres://me:1?Zq7wXk9v@127.0.0.1:1/app", "postgres://me:Zq7w%zzXk9v@127.0.0.1:1/app", "me:Zq7wXk9v@127.0.0.1:1/app",
		"mysql://me:Zq7wXk9v@127.0.0.1:1", "password='Zq7wXk9v host=127.0.0.1 port=1", "host=127.0.0.1 port=1 password=Zq7w Xk9v",
		"host=127.0.0.1,password=Zq7wXk9v", "host=127.0.0.1 port=1 user=me;password=Zq7wXk9v", "postgres://me@127.0.0.1:1/app?passwort=Zq7wXk9v",
	} {
		t.Run(url, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "DATABASE_URL="+url, "TASKER_LEASE=10s")
			for _, command := range [][]string{{"config"}, {"config", "--json"}, {"doctor"}, {"migrate", "status"}, {"task", "list"}, {"run"}} {
				got := w.run(t, command...)
				for _, piece := range []string{"Zq7", "q7w", "Xk9", "k9v"} {
					if strings.Contains(got.stdout+got.stderr, piece) {
						t.Errorf("%v shows %q of the password:\n%s%s", command, piece, got.stdout, got.stderr)
					}
				}
			}
		})
	}
}

func TestDocumentationListsEveryVariable(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range variables(config{}) {
		value := ""
		if v.Default != "" {
			value = "`" + v.Default + "` "
		}
		const example = "postgres://user:password@host:5432/app"
		meaning := strings.Replace(v.Meaning, example, "`"+example+"`", 1)
		if row := "\n| `" + v.Name + "` | " + value + "| " + meaning + " |\n"; !strings.Contains(string(text), row) {
			t.Errorf("docs/configuration.md lacks the row %s", row)
		}
	}
}
