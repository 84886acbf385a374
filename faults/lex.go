package faults

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// SyntaxError says where a plan does not parse, and what was expected there.
type SyntaxError struct {
	Line, Column int // from 1; the column counts characters
	Text         string
}

// Error returns line, column and text.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("fault plan, line %d, column %d: %s", e.Line, e.Column, e.Text)
}

type tokenKind uint8

const (
	tokenEnd tokenKind = iota
	tokenOpen
	tokenClose
	tokenWord // anything else; quoted parts are still quoted
)

type token struct {
	kind         tokenKind
	text         string
	line, column int
}

// describe names the token in an error.
func (t token) describe() string {
	if t.kind == tokenEnd {
		return "the end of the text"
	}
	return fmt.Sprintf("%q", t.text)
}

func (t token) errorf(format string, args ...any) error {
	return &SyntaxError{Line: t.line, Column: t.column, Text: fmt.Sprintf(format, args...)}
}

// lexer splits a plan into parentheses and words.
type lexer struct {
	src          string
	line, column int
}

// advance consumes n bytes.
func (l *lexer) advance(n int) {
	for _, r := range l.src[:n] {
		if r == '\n' {
			l.line, l.column = l.line+1, 1
		} else {
			l.column++
		}
	}
	l.src = l.src[n:]
}

// skipSpace consumes white space and comments.
func (l *lexer) skipSpace() {
	for l.src != "" {
		r, size := utf8.DecodeRuneInString(l.src)
		switch {
		case unicode.IsSpace(r):
			l.advance(size)
		case r == ';':
			n := strings.IndexByte(l.src, '\n')
			if n < 0 {
				n = len(l.src)
			}
			l.advance(n)
		default:
			return
		}
	}
}

func (l *lexer) next() (token, error) {
	l.skipSpace()
	t := token{line: l.line, column: l.column}
	if l.src == "" {
		return t, nil
	}
	n := 1
	switch l.src[0] {
	case '(':
		t.kind = tokenOpen
	case ')':
		t.kind = tokenClose
	default:
		t.kind = tokenWord
		if n = wordEnd(l.src); n < 0 {
			return t, t.errorf("a quoted text that does not end; expected a closing %q", `"`)
		}
	}
	t.text = l.src[:n]
	l.advance(n)
	return t, nil
}

// wordEnd returns the length of the word at the front of s, which ends at white
// space, a parenthesis or a comment outside quotes; -1: a quote is not closed.
func wordEnd(s string) int {
	quoted := false
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case quoted && r == '\n':
			return -1
		case quoted && r == '\\':
			i++
		case r == '"':
			quoted = !quoted
		case !quoted && (unicode.IsSpace(r) || r == '(' || r == ')' || r == ';'):
			return i
		}
		i += size
	}
	if quoted {
		return -1
	}
	return len(s)
}
