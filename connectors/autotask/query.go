package autotask

import (
	"context"
	"net/http"
	"strings"

	"responsehub"
)

// queryMost is the most rows of one answer.
const queryMost = 500

// filter is a condition of a query; conditions beside each other have all to hold.
type filter struct {
	Op    string `json:"op"`
	Field string `json:"field"`
	Value any    `json:"value,omitempty"`
}

type query struct {
	Filter     []filter `json:"filter"`
	Fields     []string `json:"includeFields,omitempty"`
	MaxRecords int      `json:"maxRecords,omitempty"`
}

type page[T any] struct {
	Items []T `json:"items"`
	Page  struct {
		Next string `json:"nextPageUrl"`
	} `json:"pageDetails"`
}

// rows asks for the rows of an entity and follows the pages, up to most rows.
// https://www.autotask.net/help/developerhelp/Content/APIs/REST/API_Calls/REST_Basic_Query_Calls.htm
func rows[T any](ctx context.Context, d *Desk, what, entity string, q query, most int) ([]T, error) {
	q.MaxRecords = min(queryMost, most)
	r := request{what: what, method: http.MethodPost, path: entity + "/query", in: q}
	var got page[T]
	if err := d.call(ctx, r, &got); err != nil {
		return nil, err
	}
	all := got.Items
	for next := got.Page.Next; next != "" && len(all) < most; next = got.Page.Next {
		got = page[T]{}
		if err := d.next(ctx, what, entity, next, q, &got); err != nil {
			return nil, err
		}
		if len(got.Items) == 0 {
			break
		}
		all = append(all, got.Items...)
	}
	return all[:min(len(all), most)], nil
}

// next reads the next page at the address that Autotask gave, if it is Autotask's. The
// address goes with the query and the method of the first page.
func (d *Desk) next(ctx context.Context, what, entity, address string, q query, out any) error {
	z, err := d.zone(ctx, "")
	if err != nil {
		return err
	}
	_, path, ok := strings.Cut(address, "/ATServicesRest/")
	if !ok || len(path) < len("V1.0/") || !strings.EqualFold(path[:len("V1.0/")], "V1.0/") || !strings.HasPrefix(strings.ToLower(address), strings.ToLower(z.API)) {
		return &responsehub.Error{Kind: responsehub.Permanent, Message: "Autotask names a next page that is not its own."}
	}
	return d.call(ctx, request{what: what, method: http.MethodPost, path: path[len("V1.0/"):], in: q}, out)
}
