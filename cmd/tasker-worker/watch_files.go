package main

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// settle is how long files must be quiet before they are loaded: editors write in several steps.
const settle = 200 * time.Millisecond

// lookAgain is the time between two looks at the files themselves. No event tells of changes in a folder that was away, behind
// a link that leads elsewhere now, or on a file system of another machine.
const lookAgain = 2 * time.Second

// watchFiles calls changed with what has changed in the handler and template folders since they were in the state loaded,
// until ctx ends.
func watchFiles(ctx context.Context, c config, loaded fileState, log *slog.Logger, changed func(fileState)) {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		log.Error("files are not watched", "error", err)
		return
	}
	defer watcher.Close()
	w := &fileWatch{config: c, gone: map[string]bool{}, loaded: loaded, log: log, watcher: watcher}
	w.addFolders()
	log.Info("files are watched", "executors", c.ExecutorsDir, "templates", c.TemplatesDir)
	quiet := time.NewTimer(settle)
	defer quiet.Stop()
	again := time.NewTicker(lookAgain)
	defer again.Stop()
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
		case <-again.C:
			w.addFolders()
			if w.look() {
				quiet.Reset(settle)
			}
		case <-quiet.C:
			w.addFolders()
			w.load(changed)
		}
	}
}

// fileWatch is what watchFiles knows of the files.
type fileWatch struct {
	config config
	loaded fileState
	log    *slog.Logger
	// gone are the folders of which it was said that they are not there.
	gone    map[string]bool
	watcher *fsnotify.Watcher
}

// look says whether there is something to load or to tell.
func (w *fileWatch) look() bool {
	now := newFileState(w.config)
	return now.differs(w.loaded) != fileState{} ||
		(now.handlers == folderGone) != w.gone[w.config.ExecutorsDir] || (now.templates == folderGone) != w.gone[w.config.TemplatesDir]
}

// load loads what has changed.
func (w *fileWatch) load(changed func(fileState)) {
	now := newFileState(w.config)
	w.tellOfGone(w.config.ExecutorsDir, now.handlers, "handlers")
	w.tellOfGone(w.config.TemplatesDir, now.templates, "templates")
	difference := now.differs(w.loaded)
	if difference == (fileState{}) {
		return
	}
	w.loaded = w.loaded.with(difference)
	changed(difference)
}

// tellOfGone says once that a folder is not there, and once that it is back.
func (w *fileWatch) tellOfGone(folder string, state uint64, what string) {
	gone := state == folderGone
	if gone == w.gone[folder] {
		return
	}
	w.gone[folder] = gone
	if gone {
		w.log.Warn("folder is gone, the "+what+" that were loaded from it go on", "folder", folder)
		return
	}
	w.log.Info("folder is back", "folder", folder)
}

// concerns says whether an event is about a file that may be loaded.
func concerns(event fsnotify.Event) bool {
	return event.Op != fsnotify.Chmod && !ignored(filepath.Base(event.Name))
}

// ignored are the names that editors, interpreters and package managers make.
func ignored(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasSuffix(name, "~") || name == "__pycache__" || name == "node_modules"
}

// addFolders watches both folders with their sub-folders; adding one again is harmless. One that cannot be watched is looked
// at from time to time all the same.
func (w *fileWatch) addFolders() {
	for _, root := range []string{w.config.ExecutorsDir, w.config.TemplatesDir} {
		eachFolder(root, 0, func(path string) { _ = w.watcher.Add(path) })
	}
}

// reload loads what has changed. A change of templates leaves the handler processes alone; after a change of handlers the
// templates are looked at too, since they may name what is served now.
func reload(ctx context.Context, changed fileState, shelf *templateShelf) {
	what := "templates loaded again"
	if changed.handlers != folderGone {
		what = "handlers and templates loaded again"
		if err := shelf.supervisor.Reload(ctx); err != nil {
			shelf.log.Error("handlers not loaded again, the old ones go on", "error", err)
			what = "templates loaded again"
		} else {
			logProblems(shelf.supervisor.Problems(), shelf.log)
		}
	}
	if err := shelf.reload(ctx); err != nil {
		shelf.log.Error("templates not loaded again", "error", err)
		return
	}
	shelf.log.Info(what, "handlers", len(shelf.supervisor.Handlers()))
}
