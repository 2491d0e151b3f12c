package engine

func (t *step) childEnded(e ChildEnded) error {
	return t.refuse(CodeInvalid, e.Node, "not supported yet")
}
