package bench

import (
	"fmt"

	"github.com/tasker-systems/tasker-worker/templates"
)

// Namespace is the namespace of the templates of the workloads.
const Namespace = "bench"

// Version is that of the templates of the workloads.
const Version = "1.0.0"

// Shape is a graph of steps.
type Shape struct {
	Name  string
	Steps []Vertex
}

// Vertex is one step with the positions of its parents, which precede it.
type Vertex struct {
	Name    string
	Parents []int
}

// Size is the number of steps of a task of this shape.
func (s *Shape) Size() int { return len(s.Steps) }

// add adds a step and returns its position.
func (s *Shape) add(name string, parents ...int) int {
	s.Steps = append(s.Steps, Vertex{Name: name, Parents: parents})
	return len(s.Steps) - 1
}

// Linear is n steps, one after the other.
func Linear(n int) Shape {
	s := Shape{Name: fmt.Sprintf("linear-%d", n)}
	last := s.add("step_1")
	for i := 2; i <= n; i++ {
		last = s.add(fmt.Sprintf("step_%d", i), last)
	}
	return s
}

// FanOut is a root, n steps at once after it, and a sink that waits for all of them.
func FanOut(n int) Shape {
	s := Shape{Name: fmt.Sprintf("fan-out-%d", n)}
	root := s.add("root")
	leaves := make([]int, n)
	for i := range leaves {
		leaves[i] = s.add(fmt.Sprintf("leaf_%d", i+1), root)
	}
	s.add("sink", leaves...)
	return s
}

// Layers is a root, then layers with these numbers of steps, each step waiting for the whole layer before it, and a
// sink.
func Layers(name string, widths ...int) Shape {
	s := Shape{Name: name}
	above := []int{s.add("root")}
	for i, width := range widths {
		layer := make([]int, width)
		for j := range layer {
			layer[j] = s.add(fmt.Sprintf("layer_%d_%d", i+1, j+1), above...)
		}
		above = layer
	}
	s.add("sink", above...)
	return s
}

// Diamond is a root, n branches and a sink.
func Diamond(n int) Shape { return Layers(fmt.Sprintf("diamond-%d", n), n) }

// Tree is a root with two branches of n leaves each, and a sink that waits for the leaves.
func Tree(n int) Shape {
	s := Shape{Name: fmt.Sprintf("tree-%d", n)}
	root := s.add("root")
	var leaves []int
	for _, side := range []string{"left", "right"} {
		branch := s.add(side, root)
		for i := range n {
			leaves = append(leaves, s.add(fmt.Sprintf("%s_%d", side, i+1), branch))
		}
	}
	s.add("sink", leaves...)
	return s
}

// Mixed is two chains with a join. A fork follows the join, and one chain continues past it. A sink waits for one side
// of the fork and for that chain.
func Mixed() Shape {
	s := Shape{Name: "mixed"}
	left, right := s.add("left_1"), s.add("right_1")
	left, right = s.add("left_2", left), s.add("right_2", right)
	join := s.add("join", left, right)
	fork, bypass := s.add("fork_1", join), s.add("bypass", right)
	s.add("fork_2", join)
	s.add("sink", fork, bypass)
	return s
}

// Layers returns the names of the steps in the order in which they can run: the steps of a layer at once, after the
// layer before it has ended.
func (s *Shape) Layers() [][]string {
	var layers [][]string
	depths := make([]int, len(s.Steps))
	for i, step := range s.Steps {
		for _, parent := range step.Parents {
			depths[i] = max(depths[i], depths[parent]+1)
		}
		if depths[i] == len(layers) {
			layers = append(layers, nil)
		}
		layers[depths[i]] = append(layers[depths[i]], step.Name)
	}
	return layers
}

// Template returns a template of the shape. All its steps have the same handler.
func (s *Shape) Template(handler string) *templates.Template {
	t := &templates.Template{
		Namespace: Namespace, Name: s.Name, Version: Version, Description: fmt.Sprintf("%d steps", s.Size()),
		Queue: templates.QueueDefault,
	}
	t.Steps = make([]templates.Step, s.Size())
	for i, step := range s.Steps {
		t.Steps[i] = templates.Step{
			Name: step.Name, DependentSystem: templates.DependentSystemDefault, Handler: handler,
			Queue:     templates.QueueDefault,
			Retryable: true, RetryLimit: templates.RetryLimitDefault,
		}
		for _, parent := range step.Parents {
			t.Steps[i].DependsOn = append(t.Steps[i].DependsOn, s.Steps[parent].Name)
		}
	}
	return t
}
