package api

import (
	"encoding/json"
	"net/http"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"responsehub/report"
)

type object = map[string]any

var pathParam = regexp.MustCompile(`:(\w+)`)

// document makes the OpenAPI 3.1 document from the table of routes.
func document(routes []route) []byte {
	s := schemas{components: object{}}
	paths := object{}
	for _, r := range routes {
		path := pathParam.ReplaceAllString(r.path, "{$1}")
		item, _ := paths[path].(object)
		if item == nil {
			item = object{}
			paths[path] = item
		}
		item[strings.ToLower(r.method)] = s.operation(r)
	}
	s.of(reflect.TypeFor[Problem](), false)
	doc, err := json.MarshalIndent(object{
		"openapi": "3.1.0",
		"info": object{
			"title": "responsehub", "version": "1",
			"description": "Account takeovers and the steps that end them. Every request is held to the same rules as a person who presses a button.",
		},
		"security":   []any{object{"key": []string{}}},
		"paths":      paths,
		"components": object{"schemas": s.components, "securitySchemes": object{"key": object{"type": "http", "scheme": "bearer", "description": "An API key, rh_..."}}},
	}, "", " ")
	if err != nil {
		panic("api: the OpenAPI document cannot be encoded: " + err.Error()) // only strings, maps and lists are in it
	}
	return doc
}

func (s schemas) operation(r route) object {
	op := object{"operationId": r.name, "summary": r.summary, "responses": s.responses(r)}
	var params []any
	for _, m := range pathParam.FindAllStringSubmatch(r.path, -1) {
		params = append(params, object{"name": m[1], "in": "path", "required": true, "schema": object{"type": "string"}})
	}
	for _, p := range r.query {
		schema := object{"type": "string"}
		if p.kind != "" {
			schema["type"] = p.kind
		}
		if p.form != "" {
			schema["format"] = p.form
		}
		if p.enum != nil {
			schema["enum"] = p.enum
		}
		params = append(params, object{"name": p.name, "in": "query", "description": p.doc, "schema": schema})
	}
	if _, ok := r.body.FieldByName(commandField); ok {
		params = append(params, object{"name": idempotencyKey, "in": "header", "description": "does what command_id of the body does", "schema": object{"type": "string"}})
	}
	if params != nil {
		op["parameters"] = params
	}
	if r.body != reflect.TypeFor[none]() {
		op["requestBody"] = object{"content": object{"application/json": object{"schema": s.of(r.body, true)}}}
	}
	return op
}

// failures are what any route may answer.
var failures = []int{
	http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusGone,
	http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable,
}

func (s schemas) responses(r route) object {
	content := object{}
	if r.answer == reflect.TypeFor[report.File]() {
		for _, media := range report.Types() {
			content[media] = object{"schema": object{"type": "string", "format": "binary"}}
		}
		content["application/json"] = object{"schema": object{"type": "object"}}
	} else {
		content["application/json"] = object{"schema": s.of(r.answer, false)}
	}
	all := object{strconv.Itoa(r.status): object{"description": http.StatusText(r.status), "content": content}}
	for _, status := range failures {
		answer := object{
			"description": http.StatusText(status),
			"content":     object{mimeProblem: object{"schema": s.of(reflect.TypeFor[Problem](), false)}},
		}
		if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
			answer["headers"] = object{"Retry-After": object{"description": "seconds to wait", "schema": object{"type": "integer"}}}
		}
		all[strconv.Itoa(status)] = answer
	}
	return all
}

// schemas collects the named types that the document describes.
type schemas struct{ components object }

// of returns the schema of a type. What a request may hold is closed, as the decoder
// is; an answer may grow fields.
func (s schemas) of(t reflect.Type, request bool) object {
	t = element(t)
	switch {
	case t == timeType:
		return object{"type": "string", "format": "date-time"}
	case t == sampleType:
		return object{}
	case t == reflect.TypeFor[Event]():
		return s.of(reflect.TypeFor[storedEvent](), request)
	case t == desksType:
		one := s.of(t.Elem(), request)
		return object{"oneOf": []any{one, object{"type": "array", "items": one}}}
	case enums[t] != nil:
		return object{"type": "string", "enum": enums[t]}
	}
	switch t.Kind() {
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return object{"type": "integer"}
	case reflect.Slice:
		return object{"type": "array", "items": s.of(t.Elem(), request)}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": s.of(t.Elem(), request)}
	case reflect.Struct:
		return s.structure(t, request)
	}
	return object{"type": "string"}
}

func (s schemas) structure(t reflect.Type, request bool) object {
	props, required := object{}, []string{}
	schema := object{"type": "object", "properties": props}
	name := strings.ToUpper(t.Name()[:1]) + t.Name()[1:]
	generic := strings.Contains(name, "[")
	if request {
		name += "Input"
		schema["additionalProperties"] = false
	}
	ref := object{"$ref": "#/components/schemas/" + name}
	if s.components[name] != nil {
		return ref
	}
	if !generic {
		s.components[name] = schema // before its fields, which may lead back to it
	}
	for _, f := range fields(t) {
		p := s.of(f.typ, request)
		if f.doc != "" {
			p["description"] = f.doc
		}
		props[f.name] = p
		if request && f.need || !request && !f.optional {
			required = append(required, f.name)
		}
	}
	if len(required) > 0 {
		schema["required"] = required
	}
	if generic {
		return schema
	}
	return ref
}
