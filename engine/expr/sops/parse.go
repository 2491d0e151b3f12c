package sops

import "slices"

// node is an expression of Python.
type node struct {
	op nodeOp
	at int
	// text is a name, an attribute or an operator; value that of a literal.
	text  string
	value any
	// args are the parts, in the order of the source; nil for a border of a slice that
	// is left out.
	args []*node
	// names are the parameters of a lambda, or the variable of a comprehension.
	names []string
}

type nodeOp int

const (
	opLiteral nodeOp = iota + 1
	opName
	opList       // args
	opAttribute  // args[0].text
	opCall       // args[0](args[1:]...)
	opIndex      // args[0][args[1]]
	opSlice      // args[0][args[1]:args[2]:args[3]]
	opUnary      // text args[0]
	opBinary     // args[0] text args[1]
	opCompare    // args[0] text args[1]
	opAnd        // args[0] and args[1]
	opOr         // args[0] or args[1]
	opIf         // args[1] if args[0] else args[2]
	opLambda     // lambda names: args[0]
	opComprehend // args[0] for names[0] in args[1] if args[2]
)

// depthMax bounds the nesting of an expression, so that its translation stays within
// the bounds of CEL's parser.
const depthMax = 16

// parser reads an expression by descent, an operator level a function.
type parser struct {
	tokens []token
	i      int
	depth  int
}

// parse reads an expression and the filters behind it.
func parse(src string) (n *node, filters []string, err *sourceError) {
	tokens, err := lex(src)
	if err != nil {
		return nil, nil, err
	}
	p := &parser{tokens: tokens}
	if n, err = p.expression(); err != nil {
		return nil, nil, err
	}
	if p.peek().kind == tokenOp && p.peek().text == "," { // a tuple without parentheses
		if n, err = p.tuple(n); err != nil {
			return nil, nil, err
		}
	}
	for sep := "|"; p.op(sep); sep = "," {
		if p.peek().kind != tokenName {
			return nil, nil, errAt(p.peek().at, "a filter is a name")
		}
		filters = append(filters, p.next().text)
	}
	if t := p.peek(); t.kind != tokenEnd {
		return nil, nil, errAt(t.at, "not a Python expression")
	}
	return n, filters, nil
}

func (p *parser) peek() token { return p.tokens[p.i] }

func (p *parser) next() token {
	t := p.tokens[p.i]
	if t.kind != tokenEnd {
		p.i++
	}
	return t
}

// op takes an operator if it comes next.
func (p *parser) op(text string) bool {
	if t := p.peek(); t.kind == tokenOp && t.text == text {
		p.i++
		return true
	}
	return false
}

// word takes a keyword if it comes next.
func (p *parser) word(text string) bool {
	if t := p.peek(); t.kind == tokenName && t.text == text {
		p.i++
		return true
	}
	return false
}

func (p *parser) want(text string) *sourceError {
	if !p.op(text) {
		return errAt(p.peek().at, "%s is missing", text)
	}
	return nil
}

func (p *parser) expression() (*node, *sourceError) {
	if p.depth++; p.depth > depthMax {
		return nil, errAt(p.peek().at, "the expression is nested more than %d deep", depthMax)
	}
	defer func() { p.depth-- }()
	if t := p.peek(); p.word("lambda") {
		return p.lambda(t.at)
	}
	n, err := p.or()
	if err != nil || p.peek().kind != tokenName || p.peek().text != "if" {
		return n, err
	}
	at := p.next().at
	condition, err := p.or()
	if err != nil {
		return nil, err
	}
	if !p.word("else") {
		return nil, errAt(p.peek().at, "else is missing")
	}
	otherwise, err := p.expression()
	return &node{op: opIf, at: at, args: []*node{condition, n, otherwise}}, err
}

func (p *parser) lambda(at int) (*node, *sourceError) {
	var names []string
	for !p.op(":") {
		if len(names) > 0 {
			if err := p.want(","); err != nil {
				return nil, err
			}
		}
		t := p.next()
		if t.kind != tokenName {
			return nil, errAt(t.at, "a parameter is a name")
		}
		names = append(names, t.text)
	}
	body, err := p.expression()
	return &node{op: opLambda, at: at, names: names, args: []*node{body}}, err
}

func (p *parser) or() (*node, *sourceError) {
	return p.chain(p.and, func(t token) nodeOp { return when(t.kind == tokenName && t.text == "or", opOr) })
}

func (p *parser) and() (*node, *sourceError) {
	return p.chain(p.not, func(t token) nodeOp { return when(t.kind == tokenName && t.text == "and", opAnd) })
}

func when(is bool, op nodeOp) nodeOp {
	if is {
		return op
	}
	return 0
}

// chain reads operands with an operator between them, from the left. A long chain is a
// deep tree.
func (p *parser) chain(operand func() (*node, *sourceError), op func(token) nodeOp) (*node, *sourceError) {
	n, err := operand()
	for length := 1; err == nil; length++ {
		t := p.peek()
		kind := op(t)
		if kind == 0 {
			return n, nil
		}
		if length > depthMax {
			return nil, errAt(t.at, "more than %d operators in a row", depthMax)
		}
		p.next()
		var right *node
		if right, err = operand(); err == nil {
			n = &node{op: kind, at: t.at, text: t.text, args: []*node{n, right}}
		}
	}
	return nil, err
}

func (p *parser) not() (*node, *sourceError) {
	if p.depth++; p.depth > depthMax {
		return nil, errAt(p.peek().at, "the expression is nested more than %d deep", depthMax)
	}
	defer func() { p.depth-- }()
	if t := p.peek(); p.word("not") {
		n, err := p.not()
		return &node{op: opUnary, at: t.at, text: "not", args: []*node{n}}, err
	}
	return p.compare()
}

// compare reads a comparison; a < b < c means a < b and b < c.
func (p *parser) compare() (*node, *sourceError) {
	left, err := p.sum()
	if err != nil {
		return nil, err
	}
	var all *node
	for length := 1; ; length++ {
		t := p.peek()
		op := p.comparison()
		if op == "" {
			break
		}
		if length > depthMax {
			return nil, errAt(t.at, "more than %d operators in a row", depthMax)
		}
		right, err := p.sum()
		if err != nil {
			return nil, err
		}
		one := &node{op: opCompare, at: t.at, text: op, args: []*node{left, right}}
		if all == nil {
			all = one
		} else {
			all = &node{op: opAnd, at: t.at, args: []*node{all, one}}
		}
		left = right
	}
	if all == nil {
		return left, nil
	}
	return all, nil
}

// comparison takes a comparison operator and returns it, or nothing.
func (p *parser) comparison() string {
	t := p.peek()
	switch {
	case t.kind == tokenOp && slices.Contains([]string{"==", "!=", "<", "<=", ">", ">="}, t.text):
		p.next()
		return t.text
	case p.word("in"):
		return "in"
	case p.word("is"):
		if p.word("not") {
			return "is not"
		}
		return "is"
	case t.kind == tokenName && t.text == "not" && p.tokens[p.i+1].kind == tokenName && p.tokens[p.i+1].text == "in":
		p.i += 2
		return "not in"
	}
	return ""
}

func binary(ops ...string) func(token) nodeOp {
	return func(t token) nodeOp { return when(t.kind == tokenOp && slices.Contains(ops, t.text), opBinary) }
}

func (p *parser) sum() (*node, *sourceError) { return p.chain(p.product, binary("+", "-")) }

func (p *parser) product() (*node, *sourceError) {
	return p.chain(p.sign, binary("*", "/", "//", "%"))
}

func (p *parser) sign() (*node, *sourceError) {
	if p.depth++; p.depth > depthMax {
		return nil, errAt(p.peek().at, "the expression is nested more than %d deep", depthMax)
	}
	defer func() { p.depth-- }()
	for _, op := range []string{"-", "+"} {
		if t := p.peek(); p.op(op) {
			n, err := p.sign()
			return &node{op: opUnary, at: t.at, text: op, args: []*node{n}}, err
		}
	}
	n, err := p.postfix()
	if t := p.peek(); err == nil && p.op("**") {
		var right *node
		if right, err = p.sign(); err == nil {
			n = &node{op: opBinary, at: t.at, text: "**", args: []*node{n, right}}
		}
	}
	return n, err
}
