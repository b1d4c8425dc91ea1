package store

import (
	"fmt"
	"strconv"

	"responsehub/remediation"
)

// What comes back from Redis is read with care: an operator's hand or a foreign program
// may have been at it, and a wrong type must be an error and not a panic.

func text(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case []byte:
		return string(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	}
	return "", fmt.Errorf("expected a text, Redis returned %T", v)
}

func whole(v any) (int64, error) {
	s, err := text(v)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("expected a whole number, Redis returned %.40q", s)
	}
	return n, nil
}

func row(v any, least int) ([]any, error) {
	r, ok := v.([]any)
	if !ok || len(r) < least {
		return nil, fmt.Errorf("expected a list of at least %d, Redis returned %T of %d", least, v, len(r))
	}
	return r, nil
}

// subject reads the fields ver, doc, seq, head. A subject that does not exist is
// ErrNotFound.
func subject(id string, f []any) (remediation.State, error) {
	f, err := row(f, 4)
	if err != nil {
		return remediation.State{}, err
	}
	if f[0] == nil && f[1] == nil {
		return remediation.State{}, remediation.ErrNotFound
	}
	st := remediation.State{ID: id}
	if st.Version, err = whole(f[0]); err != nil {
		return remediation.State{}, fmt.Errorf("version: %w", err)
	}
	doc, err := text(f[1])
	if err != nil {
		return remediation.State{}, fmt.Errorf("document: %w", err)
	}
	st.Doc = []byte(doc)
	if st.Seq, err = whole(f[2]); err != nil {
		return remediation.State{}, fmt.Errorf("number of the last event: %w", err)
	}
	if st.Head, err = text(f[3]); err != nil {
		return remediation.State{}, fmt.Errorf("hash of the last event: %w", err)
	}
	return st, nil
}

// claim reads one row of claim_lanes.
func claim(v any) (remediation.Claim, error) {
	r, err := row(v, 8)
	if err != nil {
		return remediation.Claim{}, err
	}
	m, err := text(r[0])
	if err != nil {
		return remediation.Claim{}, err
	}
	id, lane, ok := splitMember(m)
	if !ok {
		return remediation.Claim{}, fmt.Errorf("%.80q is not the name of a lane", m)
	}
	c := remediation.Claim{Lane: lane}
	if c.Token, err = whole(r[1]); err != nil {
		return remediation.Claim{}, fmt.Errorf("lane %s: fence token: %w", m, err)
	}
	if c.Dirty, err = whole(r[2]); err != nil {
		return remediation.Claim{}, fmt.Errorf("lane %s: dirty count: %w", m, err)
	}
	attempt, err := whole(r[3])
	if err != nil {
		return remediation.Claim{}, fmt.Errorf("lane %s: attempts: %w", m, err)
	}
	c.Attempt = int(attempt)
	if c.State, err = subject(id, r[4:8]); err != nil {
		return remediation.Claim{}, fmt.Errorf("lane %s: %w", m, err)
	}
	return c, nil
}

// status reads the first word of a script's answer.
func status(v any) (string, []any, error) {
	r, err := row(v, 1)
	if err != nil {
		return "", nil, err
	}
	s, err := text(r[0])
	return s, r[1:], err
}
