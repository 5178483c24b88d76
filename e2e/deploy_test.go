package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

func readDeploy(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(repository, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// capabilitiesOfTheWorker are what it takes to give handlers a user of their own and to end what they leave behind.
func capabilitiesOfTheWorker() []string {
	return []string{"CHOWN", "DAC_OVERRIDE", "KILL", "SETGID", "SETUID"}
}

// TestUnitIsSoundAndConfined asks systemd itself, where it is installed.
func TestUnitIsSoundAndConfined(t *testing.T) {
	t.Parallel()
	text := readDeploy(t, "deploy/systemd/tasker-worker.service")
	for _, line := range []string{"NoNewPrivileges=yes", "ProtectSystem=strict", "LoadCredential=database_url:/etc/tasker-worker/database_url"} {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("the unit lacks %s", line)
		}
	}
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(line, "Environment=") && strings.Contains(line, "://") {
			t.Errorf("the unit has a credential in its environment: %s", line)
		}
	}
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("systemd-analyze is not installed")
	}
	unit := filepath.Join(t.TempDir(), "tasker-worker.service")
	write(t, unit, strings.Replace(text, "/usr/local/bin/tasker-worker", "/bin/true", 1)) // the program is not installed here
	if out, err := exec.CommandContext(t.Context(), "systemd-analyze", "verify", unit).CombinedOutput(); err != nil || strings.Contains(string(out), "tasker-worker.service:") {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), "systemd-analyze", "security", "--offline=true", unit).CombinedOutput()
	level := regexp.MustCompile(`Overall exposure level for \S+: (\d+\.\d+)`).FindStringSubmatch(string(out))
	if level == nil {
		t.Skipf("this systemd does not judge files: %v\n%s", err, out)
	}
	const most = 4.5 // of 10, where a unit without any of it has 9.6; versions differ a little
	if got, _ := strconv.ParseFloat(level[1], 64); got > most {
		t.Errorf("systemd judges the exposure %v, want at most %v:\n%s", got, most, out)
	}
}

type deployment struct {
	Kind string
	Spec struct {
		Template struct {
			Spec struct {
				AutomountServiceAccountToken *bool `yaml:"automountServiceAccountToken"`
				SecurityContext              struct {
					SeccompProfile struct{ Type string } `yaml:"seccompProfile"`
				} `yaml:"securityContext"`
				Containers []struct {
					Env             []struct{ Name, Value string }
					SecurityContext struct {
						AllowPrivilegeEscalation *bool `yaml:"allowPrivilegeEscalation"`
						Privileged               bool
						ReadOnlyRootFilesystem   bool `yaml:"readOnlyRootFilesystem"`
						Capabilities             struct{ Add, Drop []string }
					} `yaml:"securityContext"`
				}
				Volumes []struct {
					Name   string
					Secret *struct {
						DefaultMode string `yaml:"defaultMode"`
					}
				}
			}
		}
	}
}

func TestManifestConfinesTheWorker(t *testing.T) {
	t.Parallel()
	first, _, _ := strings.Cut(readDeploy(t, "deploy/kubernetes/worker.yaml"), "\n---\n")
	var d deployment
	if err := yaml.Unmarshal([]byte(first), &d); err != nil {
		t.Fatal(yaml.FormatError(err, false, true))
	}
	pod := d.Spec.Template.Spec
	if d.Kind != "Deployment" || len(pod.Containers) != 1 {
		t.Fatalf("it is a %s with %d containers", d.Kind, len(pod.Containers))
	}
	c := pod.Containers[0].SecurityContext
	off := func(b *bool) bool { return b != nil && !*b }
	if !off(pod.AutomountServiceAccountToken) || !off(c.AllowPrivilegeEscalation) || c.Privileged || !c.ReadOnlyRootFilesystem ||
		pod.SecurityContext.SeccompProfile.Type != "RuntimeDefault" || !slices.Equal(c.Capabilities.Drop, []string{"ALL"}) {
		t.Errorf("the worker is not confined: %+v", pod)
	}
	if !slices.Equal(c.Capabilities.Add, capabilitiesOfTheWorker()) {
		t.Errorf("it has the capabilities %v", c.Capabilities.Add)
	}
	for _, variable := range pod.Containers[0].Env {
		if variable.Name == "DATABASE_URL" || strings.Contains(variable.Value, "://") {
			t.Errorf("%s puts the credential into the environment", variable.Name)
		}
	}
	for _, volume := range pod.Volumes {
		if volume.Secret != nil && volume.Secret.DefaultMode != "0400" && volume.Secret.DefaultMode != "256" {
			t.Errorf("others may read the secret: mode %s", volume.Secret.DefaultMode)
		}
	}
}

// TestComposeFileConfinesTheWorker: no credential is in an environment, and the worker has what it needs.
func TestComposeFileConfinesTheWorker(t *testing.T) {
	t.Parallel()
	var file struct {
		Services map[string]struct {
			Environment map[string]string
			Ports       []string
			CapAdd      []string `yaml:"cap_add"`
			CapDrop     []string `yaml:"cap_drop"`
			ReadOnly    bool     `yaml:"read_only"`
			SecurityOpt []string `yaml:"security_opt"`
		}
	}
	if err := yaml.Unmarshal([]byte(readDeploy(t, "compose.yaml")), &file); err != nil {
		t.Fatal(yaml.FormatError(err, false, true))
	}
	worker := file.Services["worker"]
	if !slices.Equal(worker.CapDrop, []string{"ALL"}) || !worker.ReadOnly || !slices.Contains(worker.SecurityOpt, "no-new-privileges:true") {
		t.Errorf("the worker is not confined: %+v", worker)
	}
	if want := append(capabilitiesOfTheWorker(), "SYS_PTRACE"); !slices.Equal(worker.CapAdd, want) {
		t.Errorf("the worker has the capabilities %v, want %v", worker.CapAdd, want)
	}
	for name, s := range file.Services {
		if len(s.Ports) > 0 {
			t.Errorf("%s listens on the host: %v", name, s.Ports)
		}
		for variable, value := range s.Environment {
			if strings.Contains(value, "://") {
				t.Errorf("%s has a credential in %s", name, variable)
			}
		}
	}
}
