package engine

func (t *step) fail(Fail) error { return t.refuse(CodeInvalid, "", "not supported yet") }

func (t *step) setVariables(SetVariables) error {
	return t.refuse(CodeInvalid, "", "not supported yet")
}

func (t *step) reschedule(e Reschedule) error {
	return t.refuse(CodeInvalid, e.Node, "not supported yet")
}
