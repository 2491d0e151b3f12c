package engine

func (t *step) childEnded(e ChildEnded) error {
	return t.refuse(CodeInvalid, e.Node, "not supported yet")
}

func (t *step) enterIndependent(e entry) {
	t.breakNode(e, failFlow(FailInput, "not supported yet"))
}
