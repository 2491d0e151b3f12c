package sops

// postfix reads an operand with the calls, indexes and attributes behind it.
func (p *parser) postfix() (*node, *sourceError) {
	n, err := p.atom()
	for length := 1; err == nil; length++ {
		t := p.peek()
		if t.kind != tokenOp || t.text != "(" && t.text != "[" && t.text != "." {
			return n, nil
		}
		if length > depthMax {
			return nil, errAt(t.at, "more than %d calls in a row", depthMax)
		}
		p.next()
		switch t.text {
		case "(":
			var args []*node
			if args, err = p.arguments(); err == nil {
				n = &node{op: opCall, at: n.at, args: append([]*node{n}, args...)}
			}
		case "[":
			n, err = p.subscript(n)
		case ".":
			name := p.next()
			if name.kind != tokenName {
				return nil, errAt(name.at, "the name of an attribute is missing")
			}
			n = &node{op: opAttribute, at: n.at, text: name.text, args: []*node{n}}
		}
	}
	return nil, err
}

// arguments reads the arguments of a call behind its parenthesis.
func (p *parser) arguments() ([]*node, *sourceError) {
	var args []*node
	for !p.op(")") {
		if len(args) > 0 {
			if err := p.want(","); err != nil {
				return nil, err
			}
			if p.op(")") {
				break
			}
		}
		if t := p.peek(); t.kind == tokenName && p.tokens[min(p.i+1, len(p.tokens)-1)].text == "=" {
			return nil, errAt(t.at, "arguments by name are not supported")
		}
		n, err := p.expression()
		if err != nil {
			return nil, err
		}
		if t := p.peek(); t.kind == tokenName && t.text == "for" { // any(x for x in y)
			if n, err = p.comprehension(n); err != nil {
				return nil, err
			}
		}
		args = append(args, n)
	}
	return args, nil
}

func (p *parser) subscript(on *node) (*node, *sourceError) {
	var parts [3]*node
	count := 0
	for ; count < 3; count++ {
		if t := p.peek(); t.kind != tokenOp || t.text != ":" && t.text != "]" {
			n, err := p.expression()
			if err != nil {
				return nil, err
			}
			parts[count] = n
		}
		if !p.op(":") {
			break
		}
	}
	if err := p.want("]"); err != nil {
		return nil, err
	}
	if count == 0 {
		if parts[0] == nil {
			return nil, errAt(on.at, "the index is missing")
		}
		return &node{op: opIndex, at: on.at, args: []*node{on, parts[0]}}, nil
	}
	return &node{op: opSlice, at: on.at, args: []*node{on, parts[0], parts[1], parts[2]}}, nil
}

func (p *parser) atom() (*node, *sourceError) {
	t := p.next()
	switch t.kind { //nolint:exhaustive // the end is no operand
	case tokenNumber:
		return &node{op: opLiteral, at: t.at, value: t.value}, nil
	case tokenString:
		s, _ := t.value.(string)
		for p.peek().kind == tokenString { // "a" "b" is "ab"
			more, _ := p.next().value.(string)
			s += more
		}
		return &node{op: opLiteral, at: t.at, value: s}, nil
	case tokenName:
		return p.name(t)
	case tokenOp:
		switch t.text {
		case "(":
			return p.parenthesis(t.at)
		case "[":
			return p.list(t.at)
		}
	}
	return nil, errAt(t.at, "an operand is missing")
}

func (p *parser) name(t token) (*node, *sourceError) {
	switch t.text {
	case "True":
		return &node{op: opLiteral, at: t.at, value: true}, nil
	case "False":
		return &node{op: opLiteral, at: t.at, value: false}, nil
	case "None":
		return &node{op: opLiteral, at: t.at}, nil
	case "if", "else", "for", "in", "is", "not", "and", "or", "lambda", "import", "from", "while", "def", "class", "return",
		"yield", "await", "async", "with", "try", "except", "raise", "assert", "del", "global", "nonlocal", "pass", "break", "continue":
		return nil, errAt(t.at, "%s does not belong here", t.text)
	}
	return &node{op: opName, at: t.at, text: t.text}, nil
}

func (p *parser) parenthesis(at int) (*node, *sourceError) {
	if p.op(")") {
		return &node{op: opList, at: at, text: "("}, nil
	}
	n, err := p.expression()
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind == tokenName && t.text == "for" {
		return nil, errAt(t.at, "a generator has no value of its own; write a list in brackets")
	}
	if t := p.peek(); t.kind == tokenOp && t.text == "," {
		if n, err = p.tuple(n); err != nil {
			return nil, err
		}
	}
	return n, p.want(")")
}

// tuple reads the items behind the first one. A tuple is a list here, but for the % of
// texts.
func (p *parser) tuple(first *node) (*node, *sourceError) {
	n := &node{op: opList, at: first.at, text: "(", args: []*node{first}}
	for p.op(",") {
		if t := p.peek(); t.kind == tokenEnd || t.kind == tokenOp && t.text == ")" {
			break
		}
		item, err := p.expression()
		if err != nil {
			return nil, err
		}
		n.args = append(n.args, item)
	}
	return n, nil
}

func (p *parser) list(at int) (*node, *sourceError) {
	n := &node{op: opList, at: at}
	for !p.op("]") {
		if len(n.args) > 0 {
			if err := p.want(","); err != nil {
				return nil, err
			}
			if p.op("]") {
				break
			}
		}
		item, err := p.expression()
		if err != nil {
			return nil, err
		}
		if t := p.peek(); len(n.args) == 0 && t.kind == tokenName && t.text == "for" {
			item, err = p.comprehension(item)
			if err != nil {
				return nil, err
			}
			return item, p.want("]")
		}
		n.args = append(n.args, item)
	}
	return n, nil
}

func (p *parser) comprehension(body *node) (*node, *sourceError) {
	at := p.next().at
	t := p.next()
	if t.kind != tokenName || !p.word("in") {
		return nil, errAt(t.at, "only a comprehension with one variable is supported")
	}
	over, err := p.or()
	if err != nil {
		return nil, err
	}
	n := &node{op: opComprehend, at: at, names: []string{t.text}, args: []*node{body, over, nil}}
	if p.word("if") {
		if n.args[2], err = p.or(); err != nil {
			return nil, err
		}
	}
	if t := p.peek(); t.kind == tokenName && (t.text == "for" || t.text == "if") {
		return nil, errAt(t.at, "only a comprehension with one variable is supported")
	}
	return n, nil
}
