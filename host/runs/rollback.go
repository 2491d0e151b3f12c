package runs

import (
	"context"

	"github.com/culmhq/culm/engine"
)

// RollbackPreview asks what a rollback would do.
type RollbackPreview struct {
	Project, Run string
	Rollback     engine.Rollback
}

// PreviewRollback says what a rollback would undo now, or why it would be refused: a
// fault.WrongState or fault.Invalid, with the node. It changes nothing.
func (s *Service) PreviewRollback(ctx context.Context, r RollbackPreview) (engine.Plan, error) {
	var plan engine.Plan
	if err := checkRollback(r.Rollback); err != nil {
		return plan, err
	}
	err := s.o.Runner.Inspect(ctx, r.Project, r.Run, func(g *engine.Graph, state *engine.State) error {
		var err error
		plan, err = engine.RollbackPlan(g, state, r.Rollback)
		return err
	})
	if plan.Steps == nil {
		plan.Steps = []engine.PlanStep{}
	}
	return plan, refusal("preview rollback", r.Run, err)
}
