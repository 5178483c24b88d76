package devdb

import (
	"context"
	"fmt"
)

// Halt shuts the server down and keeps its data, so that [Server.Resume] can start it again at the same address. Tests
// interrupt a database with it. Halt, Resume and Stop must not overlap.
func (s *Server) Halt() error { return s.process.stop() }

// Resume starts a halted server again and returns when it answers.
func (s *Server) Resume(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, StartTimeoutDefault)
	defer cancel()
	from, err := findInstallation(ctx)
	if err != nil {
		return err
	}
	as, err := serverAccount()
	if err != nil {
		return err
	}
	if s.process, err = launch(from, s.folder, as); err != nil {
		return fmt.Errorf("starting PostgreSQL %s again: %w", from.version, err)
	}
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}
