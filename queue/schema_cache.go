package queue

import (
	"context"
	"fmt"
	"sync"

	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/templates"
)

// schemaCacheMax bounds the cache. A deployment has far fewer templates at a time.
const schemaCacheMax = 1000

// schemaCache caches the compiled schemas of templates by digest, so that a replaced template has a new entry.
type schemaCache struct {
	store *sql.Store

	// mu protects the fields below.
	mu       sync.Mutex
	compiled map[string]*templates.Schema
}

func newSchemaCache(store *sql.Store) *schemaCache {
	return &schemaCache{store: store, compiled: make(map[string]*templates.Schema)}
}

func (c *schemaCache) get(ctx context.Context, namedTask int32, digest string) (*templates.Schema, error) {
	c.mu.Lock()
	schema, ok := c.compiled[digest]
	c.mu.Unlock()
	if ok {
		return schema, nil
	}
	template, err := c.store.TemplateByID(ctx, namedTask)
	if err != nil {
		return nil, fmt.Errorf("reading the template: %w", err)
	}
	schema, err = template.CompileSchema()
	if err != nil {
		return nil, fmt.Errorf(
			"compiling the schema of %s/%s@%s: %w", template.Namespace, template.Name, template.Version, err,
		)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.compiled) >= schemaCacheMax {
		clear(c.compiled)
	}
	// The key is the digest of the template that was read: it may have been replaced since the tick.
	c.compiled[template.Digest()] = schema
	return schema, nil
}
