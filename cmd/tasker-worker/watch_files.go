package main

import (
	"context"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/tasker-systems/tasker-worker/executors"
)

// settle is how long files must be quiet before they are loaded: editors write in several steps.
const settle = 200 * time.Millisecond

// watchFiles calls changed after files in the handler and template folders have changed, until ctx ends.
func watchFiles(ctx context.Context, c config, log *slog.Logger, changed func()) {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		log.Error("files are not watched", "error", err)
		return
	}
	defer watcher.Close()
	addFolders(watcher, c, log)
	log.Info("files are watched", "executors", c.ExecutorsDir, "templates", c.TemplatesDir)
	quiet := time.NewTimer(time.Hour)
	defer quiet.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case event := <-watcher.Events:
			if concerns(event) {
				quiet.Reset(settle)
			}
		case err := <-watcher.Errors:
			log.Warn("watching files", "error", err)
		case <-quiet.C:
			addFolders(watcher, c, log)
			changed()
		}
	}
}

// concerns says whether an event is about a file that may be loaded.
func concerns(event fsnotify.Event) bool {
	return event.Op != fsnotify.Chmod && !ignored(filepath.Base(event.Name))
}

// ignored are the names that editors, interpreters and package managers make.
func ignored(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasSuffix(name, "~") || name == "__pycache__" || name == "node_modules"
}

// addFolders watches both folders with their sub-folders; adding one again is harmless.
func addFolders(watcher *fsnotify.Watcher, c config, log *slog.Logger) {
	for _, root := range []string{c.ExecutorsDir, c.TemplatesDir} {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.IsDir() {
				return err
			}
			if path != root && ignored(entry.Name()) {
				return fs.SkipDir
			}
			return watcher.Add(path)
		})
		if err != nil {
			log.Warn("folder is not watched", "folder", root, "error", err)
		}
	}
}

func reload(ctx context.Context, c config, pool *pgxpool.Pool, supervisor *executors.Supervisor, log *slog.Logger) {
	if err := supervisor.Reload(ctx); err != nil {
		log.Error("handlers not loaded again, the old ones go on", "error", err)
		return
	}
	logProblems(supervisor.Problems(), log)
	set, err := loadFolder(c)
	if err == nil {
		err = syncTemplates(ctx, set, pool, supervisor, log, true)
	}
	if err != nil {
		log.Error("templates not loaded again", "error", err)
		return
	}
	log.Info("handlers and templates loaded again", "handlers", len(supervisor.Handlers()))
}
