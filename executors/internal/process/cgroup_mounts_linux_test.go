package process

import "testing"

func TestControlGroupsAreFoundWhereTheirHierarchyIsMounted(t *testing.T) {
	t.Parallel()
	const (
		host = "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n" +
			"32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct\n" +
			"38 31 0:36 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
		container = "118 108 0:36 /docker/7a96 /sys/fs/cgroup/memory ro,nosuid - cgroup cgroup rw,memory\n"
		unified   = "29 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n"
		hybrid    = host + "45 31 0:40 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
	)
	for name, tt := range map[string]struct{ mounts, controller, group, want string }{
		"on a host":                          {host, "memory", "/user/1", "/sys/fs/cgroup/memory/user/1"},
		"of two controllers":                 {host, "cpuacct", "/", "/sys/fs/cgroup/cpu,cpuacct"},
		"a container's own group":            {container, "memory", "/docker/7a96", "/sys/fs/cgroup/memory"},
		"below a container's own group":      {container, "memory", "/docker/7a96/worker", "/sys/fs/cgroup/memory/worker"},
		"a container with a namespace":       {container, "memory", "/", "/sys/fs/cgroup/memory"},
		"a neighbour whose name begins same": {container, "memory", "/docker/7a96b", "/sys/fs/cgroup/memory/docker/7a96b"},
		"version 2":                          {unified, "", "/system.slice/w", "/sys/fs/cgroup/system.slice/w"},
		"version 2 beside version 1":         {hybrid, "", "/w", "/sys/fs/cgroup/unified/w"},
		"no mounts can be read":              {"", "pids", "/w", "/sys/fs/cgroup/pids/w"},
	} {
		if got := folderIn(tt.mounts, tt.controller, tt.group); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}
