package sql

import (
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"slices"
)

// embedded holds every SQL file and the facts about the engine's schema, by the path that each has in this folder.
//
//go:embed baseline functions/*/*.sql migrations/*.sql roles/grants.tsv
var embedded embed.FS

// script is one embedded SQL file.
type script struct {
	name string // the path
	text string
}

// scripts reads the SQL files of an embedded folder and of the folders in it, in the order of the files' own names.
func scripts(folder string) ([]script, error) {
	var names []string
	err := fs.WalkDir(embedded, folder, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && path.Ext(name) == ".sql" {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(path.Base(a), path.Base(b)) })
	all := make([]script, 0, len(names))
	for _, name := range names {
		text, err := embedded.ReadFile(name)
		if err != nil {
			return nil, err
		}
		all = append(all, script{name: name, text: string(text)})
	}
	return all, nil
}

// digest identifies the scripts by name and content.
func digest(all []script) string {
	hash := sha256.New()
	for _, s := range all {
		fmt.Fprintf(hash, "%s\n%d\n%s", s.name, len(s.text), s.text)
	}
	return hex.EncodeToString(hash.Sum(nil)[:16])
}

// Fingerprint identifies the schema that [Migrate] makes in an empty database: two binaries with the same fingerprint
// make the same one.
func Fingerprint() (string, error) {
	river, err := newestRiver()
	if err != nil {
		return "", err
	}
	all := []script{{name: "river", text: fmt.Sprint(river)}}
	for _, folder := range []string{baselineTables, baselineViews, baselineFunctions, "migrations", "functions"} {
		part, err := scripts(folder)
		if err != nil {
			return "", err
		}
		all = append(all, part...)
	}
	return digest(all), nil
}
