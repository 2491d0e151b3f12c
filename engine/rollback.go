package engine

func (t *step) rollback(Rollback) error { return t.refuse(CodeInvalid, "", "not supported yet") }
