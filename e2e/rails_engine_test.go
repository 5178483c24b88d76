package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// engineHandlers are handlers of an app that has the engine; nothing references them before they are looked for.
const engineHandlers = `module Storefront
  class Greet < Tasker::StepHandler::Base
    def process(task, _sequence, _step)
      publish_event("order.greeted", task: task.task_id)
      { superclass: Declared.superclass.superclass.name, stock: Article.count, hello: task.context["name"] }
    end
  end
end
`

const engineDeclared = `module Storefront
  class Declared < Tasker::ConfiguredTask
    include Tasker::TaskHandler
    register_handler(:declared)
  end
end
`

// appWithEngine is the app with the engine among its gems. As every app that has it, it does not load its code whole.
func appWithEngine(t *testing.T, autoloader string) string {
	t.Helper()
	root := railsApp(t)
	engine := filepath.Join(repository, "executors", "ruby", "_test", "engine")
	rewrite(t, filepath.Join(root, "Gemfile"), func(text string) string {
		return text + "gem \"tasker-engine\", path: \"" + engine + "\"\n"
	})
	rewrite(t, filepath.Join(root, "config", "application.rb"), func(text string) string {
		text = strings.Replace(text, `require "active_record/railtie"`, "require \"active_record/railtie\"\nrequire \"tasker\"", 1)
		return strings.Replace(text, "config.eager_load = Rails.env.production?", "config.eager_load = false\n"+autoloader, 1)
	})
	tasks := filepath.Join(root, "app", "tasks", "storefront")
	for name, text := range map[string]string{
		"greet.rb": engineHandlers, "declared.rb": engineDeclared, "broken.rb": "module Storefront\n  class Broken < Tasker::Nowhere\n  end\nend\n",
	} {
		if err := os.WriteFile(filepath.Join(tasks, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func rewrite(t *testing.T, file string, change func(string) string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, []byte(change(string(text))), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// autoloaders are those of the Rails that is installed, by the line of config/application.rb that asks for them.
func autoloaders() map[string]string {
	all := map[string]string{"zeitwerk": ""}
	if exec.Command("ruby", "-e", `require "logger"; require "rails"; exit Rails::VERSION::MAJOR < 7`).Run() == nil {
		all["classic"] = "    config.autoloader = :classic\n"
	}
	return all
}

// TestHandlersOfAnAppWithTheEngineRunInIt: the app boots, with the engine's classes as the engine defines them; handlers are found
// that nothing has referenced, and a file that cannot be loaded keeps no other from serving.
func TestHandlersOfAnAppWithTheEngineRunInIt(t *testing.T) {
	t.Parallel()
	for name, autoloader := range autoloaders() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			template := "name: greet\nnamespace_name: storefront\nversion: 1.0.0\nstep_templates:\n  - {name: greet, handler_class: 'Storefront::Greet'}\n"
			if err := os.WriteFile(filepath.Join(folder, "greet.yaml"), []byte(template), 0o600); err != nil {
				t.Fatal(err)
			}
			s := railsStageOf(t, folder, appWithEngine(t, autoloader), "production")
			task := awaitEnd(t, s.pool(), create(t, s.pool(), "storefront", "greet", "1.0.0", `{"name": "Ada"}`))
			want := map[string]any{"greet": map[string]any{"superclass": "Tasker::TaskBuilder", "stock": 1.0, "hello": "Ada"}}
			if diff := cmp.Diff(want, results(t, task)); diff != "" {
				t.Errorf("results (-want +got):\n%s", diff)
			}
		})
	}
}
