package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"responsehub"
)

// decode reads a request's JSON body into a struct and refuses whatever the struct does
// not have: a misspelt "item" would otherwise mean "all items". No body at all is an
// empty object.
func decode(r *http.Request, limit int64, into any) error {
	b, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err != nil {
		return &responsehub.Error{Kind: responsehub.Invalid, Message: "The body could not be read.", Err: err}
	}
	if int64(len(b)) > limit {
		return &Problem{Status: http.StatusRequestEntityTooLarge, Detail: fmt.Sprintf("The body is larger than %d KiB.", limit>>10)}
	}
	if len(bytes.TrimSpace(b)) == 0 {
		b = []byte("{}")
	} else if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return &Problem{Status: http.StatusUnsupportedMediaType, Detail: "The body must be sent with Content-Type: application/json."}
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	if err := walk(dec, reflect.TypeOf(into).Elem(), ""); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return invalid("", "The body has something after the JSON object.")
	}
	if err := json.Unmarshal(b, into); err != nil {
		return &responsehub.Error{Kind: responsehub.Invalid, Message: "The body does not have the form that /openapi.json describes.", Err: err}
	}
	return nil
}

// idempotencyKey is the header that some clients send with each try of a request.
const idempotencyKey = "Idempotency-Key"

// commandFromHeader takes the command id from the header where the body has room for one
// and names none. Two different ones are a mistake of the client.
func commandFromHeader(r *http.Request, body any) error {
	key := r.Header.Get(idempotencyKey)
	id := reflect.ValueOf(body).Elem().FieldByName(commandField)
	if key == "" || !id.IsValid() {
		return nil
	}
	if id.String() != "" && id.String() != key {
		return invalid("/command_id", "The header Idempotency-Key and command_id say two things. Send one of them.")
	}
	id.SetString(key)
	return nil
}

// commandField is the field of a body that makes its command idempotent.
const commandField = "CommandID"

// walk reads one value and compares it with the type it is meant for.
func walk(dec *json.Decoder, t reflect.Type, at string) error {
	t = element(t)
	if t == sampleType {
		if dec.Decode(new(Sample)) != nil {
			return invalid(at, "The body is not valid JSON.")
		}
		return nil
	}
	tok, err := dec.Token()
	if err != nil {
		return invalid(at, "The body is not valid JSON.")
	}
	switch v := tok.(type) {
	case json.Delim:
		switch {
		case v == '{' && t == desksType:
			return walkObject(dec, t.Elem(), at)
		case v == '{' && t.Kind() == reflect.Struct && t != timeType:
			return walkObject(dec, t, at)
		case v == '{' && t.Kind() == reflect.Map:
			return walkMap(dec, t, at)
		case v == '[' && t.Kind() == reflect.Slice:
			return walkArray(dec, t, at)
		}
	case string:
		if t.Kind() == reflect.String || t == timeType {
			return allowed(t, v, at)
		}
	case bool:
		if t.Kind() == reflect.Bool {
			return nil
		}
	case json.Number:
		if _, err := strconv.Atoi(v.String()); err == nil && t.Kind() == reflect.Int {
			return nil
		}
	}
	return invalid(at, fmt.Sprintf("%s must be %s.", name(at), noun(t)))
}

func walkObject(dec *json.Decoder, t reflect.Type, at string) error {
	known := fields(t)
	var seen []string
	for dec.More() {
		key, err := objectKey(dec, at, seen)
		if err != nil {
			return err
		}
		seen = append(seen, key)
		i := slices.IndexFunc(known, func(f field) bool { return f.name == key })
		if i < 0 {
			return invalid(join(at, key), fmt.Sprintf("There is no field %q here.", key))
		}
		if err := walk(dec, known[i].typ, join(at, key)); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil {
		return invalid(at, "The body is not valid JSON.")
	}
	for _, f := range known {
		if f.need && !slices.Contains(seen, f.name) {
			return invalid(join(at, f.name), fmt.Sprintf("%q is missing.", f.name))
		}
	}
	return nil
}

func walkMap(dec *json.Decoder, t reflect.Type, at string) error {
	var seen []string
	for dec.More() {
		key, err := objectKey(dec, at, seen)
		if err != nil {
			return err
		}
		seen = append(seen, key)
		if err := walk(dec, t.Elem(), join(at, key)); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil {
		return invalid(at, "The body is not valid JSON.")
	}
	return nil
}

func walkArray(dec *json.Decoder, t reflect.Type, at string) error {
	for i := 0; dec.More(); i++ {
		if err := walk(dec, t.Elem(), join(at, strconv.Itoa(i))); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil {
		return invalid(at, "The body is not valid JSON.")
	}
	return nil
}

// objectKey reads a key. The same key twice would let two readers of one body see two
// different things.
func objectKey(dec *json.Decoder, at string, seen []string) (string, error) {
	tok, err := dec.Token()
	key, ok := tok.(string)
	if err != nil || !ok {
		return "", invalid(at, "The body is not valid JSON.")
	}
	if slices.Contains(seen, key) {
		return "", invalid(join(at, key), fmt.Sprintf("The field %q is there twice.", key))
	}
	return key, nil
}

func allowed(t reflect.Type, v, at string) error {
	if values := enums[t]; values != nil && v != "" && !slices.Contains(values, v) {
		return invalid(at, fmt.Sprintf("%s must be one of %s.", name(at), strings.Join(values, ", ")))
	}
	return nil
}

func invalid(pointer, sentence string) error {
	return &responsehub.Error{Kind: responsehub.Invalid, Pointer: pointer, Message: sentence}
}

// join adds a part to a JSON pointer (RFC 6901).
func join(at, part string) string {
	return at + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(part)
}

func name(at string) string {
	if at == "" {
		return "The body"
	}
	return at
}

func noun(t reflect.Type) string {
	switch {
	case t == timeType:
		return "a time in RFC 3339"
	case t.Kind() == reflect.Struct, t.Kind() == reflect.Map:
		return "an object"
	case t.Kind() == reflect.Slice:
		return "a list"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Int:
		return "a whole number"
	}
	return "a text"
}
