package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/tasker-systems/tasker-worker/client"
	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/sql"
)

const railsTemplates = `name: order
namespace_name: storefront
version: 1.0.0
step_templates:
  - {name: load_order, handler_class: Storefront::LoadOrder}
  - {name: reserve_stock, handler_class: Storefront::ReserveStock, depends_on_step: load_order}
  - {name: fetch_price, handler_class: Storefront::FetchPrice, depends_on_step: reserve_stock, handler_config: {type: api, url: "URL"}}
---
name: count
namespace_name: storefront
version: 1.0.0
step_templates:
  - {name: count, handler_class: Storefront::CountArticles}
---
name: crowd
namespace_name: storefront
version: 1.0.0
step_templates:
`

const (
	crowdSteps = 20
	// railsPool is what database.yml of the app says.
	railsPool = 4
)

// withoutRails skips the test, or fails it where script/test has installed what is missing.
func withoutRails(t *testing.T, reason string) {
	t.Helper()
	if os.Getenv("TASKER_TEST_RAILS") != "" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

// railsApp copies the app to a folder that it may write to.
func railsApp(t *testing.T) string {
	t.Helper()
	if err := exec.Command("ruby", "-e", `require "logger"; require "rails"; require "active_record"; require "pg"`).Run(); err != nil {
		withoutRails(t, "Rails is not installed here: apt-get install ruby-railties ruby-activerecord ruby-pg")
	}
	root := filepath.Join(t.TempDir(), "storefront")
	if err := os.CopyFS(root, os.DirFS(filepath.Join(repository, "e2e", "testdata", "rails_app"))); err != nil {
		t.Fatal(err)
	}
	return root
}

// railsStage runs a worker on the handlers that the app has, and on no others. The app reaches the database with
// settings of its own.
func railsStage(t *testing.T, root, environment string, environ ...string) *localStage {
	t.Helper()
	folder := t.TempDir()
	documents := strings.ReplaceAll(railsTemplates, "URL", prices(t))
	for i := range crowdSteps {
		documents += fmt.Sprintf("  - {name: count_%d, handler_class: Storefront::CountArticles}\n", i)
	}
	for i, document := range strings.Split(documents, "---\n") {
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("t%d.yaml", i)), []byte(document), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return railsStageOf(t, folder, root, environment, environ...)
}

// railsStageOf is the same with the templates of a folder.
func railsStageOf(t *testing.T, folder, root, environment string, environ ...string) *localStage {
	t.Helper()
	s := newLocalStage(t, "TASKER_TEMPLATES_DIR="+folder, "TASKER_EXECUTORS_DIR="+t.TempDir(), "TASKER_APP_ROOT="+root, "RAILS_ENV="+environment)
	s.environ = slices.Concat(s.environ, appDatabase(s.pool().Config().ConnConfig), environ)
	_, err := s.pool().Exec(t.Context(), `CREATE TABLE articles (id bigserial PRIMARY KEY, sku text, stock integer)`)
	if err == nil {
		_, err = s.pool().Exec(t.Context(), `INSERT INTO articles (sku, stock) VALUES ('tea', 7)`)
	}
	if err != nil {
		t.Fatal(err)
	}
	s.startWorker(t)
	return s
}

// appDatabase is what config/database.yml of the app reads, and the permission to hand it on.
func appDatabase(c *pgx.ConnConfig) []string {
	values := map[string]string{"HOST": c.Host, "PORT": fmt.Sprint(c.Port), "NAME": c.Database, "USER": c.User, "PASSWORD": c.Password}
	var environ, names []string
	for name, value := range values {
		names = append(names, "STOREFRONT_DB_"+name)
		environ = append(environ, "STOREFRONT_DB_"+name+"="+value)
	}
	return append(environ, "TASKER_PASS_ENV="+strings.Join(names, ","))
}

func prices(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, `{"sku": %q, "cents": 350}`, filepath.Base(r.URL.Path)) // the client may be gone
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestHandlersOfARailsAppRunInIt: handlers of a booted Rails app use its models, services, settings and time zone.
func TestHandlersOfARailsAppRunInIt(t *testing.T) {
	t.Parallel()
	s := railsStage(t, railsApp(t), "production")
	id := create(t, s.pool(), "storefront", "order", "1.0.0", `{"order_id": "A-1", "sku": "tea", "quantity": 2, "customer": {"name": "Ada"}}`)
	task := awaitEnd(t, s.pool(), id)
	if task.State != engine.Complete {
		t.Errorf("the task is %s", task.State)
	}
	want := map[string]any{
		"load_order": map[string]any{
			"context": []any{"A-1", nil, "A-1", "Ada"}, "inputs": "A-1", "settings": []any{"EUR", 3.0}, "secret": nil, "zone": "Berlin",
			"past": true, "current": "A-1", "cached": 14.0, "production": true, "root": "storefront",
		},
		"reserve_stock": map[string]any{
			"article": map[string]any{"id": 1.0, "sku": "tea", "stock": 5.0}, "order": "A-1", "current": nil, "application": "ruby-1",
		},
		"fetch_price": map[string]any{"sku": "tea", "cents": 350.0, "at": "2026-01-01T11:00:00Z"},
	}
	if diff := cmp.Diff(want, results(t, task)); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	// Lines are written to the database beside the step, and may come after it.
	await(t, "what the app logged", func(ctx context.Context) ([]sql.AttemptLine, error) {
		return client.New(s.pool()).Logs(ctx, id, client.LogFilter{Step: "reserve_stock"})
	}, func(lines []sql.AttemptLine) bool {
		return slices.ContainsFunc(lines, func(l sql.AttemptLine) bool { return l.Message == "reserved 2 of tea" && l.Level == "info" })
	})
}

// TestStepsGiveBackWhatTheyTookFromTheApp: after each step its connection is in the app's pool again and CurrentAttributes
// are reset, and never do more steps run at once than there are connections for.
func TestStepsGiveBackWhatTheyTookFromTheApp(t *testing.T) {
	t.Parallel()
	s := railsStage(t, railsApp(t), "production")
	crowd := awaitEnd(t, s.pool(), create(t, s.pool(), "storefront", "crowd", "1.0.0", `{"seconds": 0.05}`))
	if len(crowd.Steps) != crowdSteps {
		t.Errorf("the task has %d steps", len(crowd.Steps))
	}
	for name, result := range results(t, crowd) {
		got, _ := result.(map[string]any)
		if busy, _ := got["busy"].(float64); got["articles"] != 1.0 || got["leftover"] != nil || busy < 1 || busy > railsPool-1 {
			t.Errorf("%s: %v", name, result)
		}
	}
	var connections int
	err := s.pool().QueryRow(t.Context(),
		`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'ruby-1'`).Scan(&connections)
	if err != nil {
		t.Fatal(err)
	}
	if connections < 1 || connections > railsPool-1 {
		t.Errorf("the app has %d connections", connections)
	}
	alone := awaitEnd(t, s.pool(), create(t, s.pool(), "storefront", "count", "1.0.0", `{"seconds": 0}`))
	want := map[string]any{"count": map[string]any{"articles": 1.0, "busy": 1.0, "leftover": nil}}
	if diff := cmp.Diff(want, results(t, alone)); diff != "" {
		t.Errorf("a step alone (-want +got):\n%s", diff)
	}
}

// TestARailsAppInDevelopmentLoadsChangedCode: the next step runs the changed handler, in the same process.
func TestARailsAppInDevelopmentLoadsChangedCode(t *testing.T) {
	t.Parallel()
	for _, layout := range []string{"handlers of the app", "a link to them"} {
		t.Run(layout, func(t *testing.T) {
			t.Parallel()
			root, executors := railsApp(t), t.TempDir()
			if layout == "a link to them" {
				if err := os.Symlink(filepath.Join(root, "app", "tasks"), filepath.Join(executors, "ruby")); err != nil {
					t.Fatal(err)
				}
			}
			s := railsStage(t, root, "development", "TASKER_EXECUTORS_DIR="+executors)
			if got := s.countArticles(t); got != 1.0 {
				t.Errorf("before the change: %v", got)
			}
			changeCount(t, root)
			if got := s.countArticles(t); got != "changed" {
				t.Errorf("after the change: %v", got)
			}
		})
	}
}

// countArticles runs the task of one step and returns what it counted.
func (s *localStage) countArticles(t *testing.T) any {
	t.Helper()
	task := awaitEnd(t, s.pool(), create(t, s.pool(), "storefront", "count", "1.0.0", `{"seconds": 0}`))
	got, _ := results(t, task)["count"].(map[string]any)
	return got["articles"]
}

// changeCount makes the handler count otherwise.
func changeCount(t *testing.T, root string) {
	t.Helper()
	file := filepath.Join(root, "app", "tasks", "storefront", "count_articles.rb")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), "articles: Article.count", `articles: "changed"`, 1)
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
}
