package executors

import "slices"

// Outages are the languages whose handlers cannot run now, and why: their runtime is missing, their processes do not
// start, or crash over and over. Steps wait meanwhile. Files that failed to load are no outage; see [Supervisor.Problems].
func (s *Supervisor) Outages() []Problem {
	g := s.generation()
	if g == nil {
		return nil
	}
	outages := slices.Clone(g.broken)
	for _, p := range g.pools {
		if open := p.circuit.problem(p.runtime.language); open != nil {
			outages = append(outages, *open)
		} else if err := p.outage(); err != nil {
			outages = append(outages, bootProblem(p.runtime.language, err))
		}
	}
	return outages
}

// outage is why there is no process, nil when there is one, or when the first has yet to come.
func (p *pool) outage() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.members) > 0 {
		return nil
	}
	return p.bootFailure
}
