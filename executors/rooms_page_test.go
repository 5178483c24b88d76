package executors

import (
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestRoomsPageNamesEachFileOfTheHosts holds README.md against the folders of the hosts, in both directions.
func TestRoomsPageNamesEachFileOfTheHosts(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	named := make(map[string]bool)
	for _, match := range regexp.MustCompile("`([a-z0-9_/]+\\.(?:py|rb|m?js))`").FindAllStringSubmatch(string(page), -1) {
		named[hostFile(match[1])] = true
	}
	exist := make(map[string]bool)
	err = eachHostFile(func(name string, _ []byte) error {
		exist[name] = true
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(named)) {
		if !exist[name] {
			t.Errorf("README.md names %s, which does not exist", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(exist)) {
		if !named[name] {
			t.Errorf("README.md does not name %s", name)
		}
	}
}

// TestRoomsHaveOneNameInAllHosts checks that the first file of a room has the room's name in each language that has one.
func TestRoomsHaveOneNameInAllHosts(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(line, "|")
		if len(cells) != 7 || strings.HasPrefix(cells[1], "-") || strings.TrimSpace(cells[1]) == "room" {
			continue
		}
		room := strings.TrimSpace(cells[1])
		for _, language := range []string{"python/tasker_host", "ruby/tasker_host", "node/tasker_host"} {
			matches, err := fs.Glob(hostFiles, language+"/"+room+".*")
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range matches {
				if !strings.Contains(line, "`"+strings.TrimPrefix(file, language+"/")+"`") {
					t.Errorf("the room %s does not name %s", room, file)
				}
			}
		}
	}
}

// hostFile is the path of a file that the page names by its place in the folder of a host.
func hostFile(name string) string {
	folder := "node"
	switch {
	case strings.HasSuffix(name, ".py"):
		folder = "python"
	case strings.HasSuffix(name, ".rb"):
		folder = "ruby"
	}
	return folder + "/tasker_host/" + name
}
