package api

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
)

const mostListed = 1000

// page is the part of a list that was asked for, in the order of key. A cursor names the
// last entry that was seen, so that entries which come and go meanwhile neither repeat nor
// hide others.
func page[T, V any](r call, all []T, key func(*T) string, view func(*T) V) (List[V], error) {
	limit := len(all)
	if s := r.query("limit"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > mostListed {
			return List[V]{}, invalid("limit", "The parameter \"limit\" must be a number from 1 to 1000.")
		}
		limit = n
	}
	after, err := base64.RawURLEncoding.DecodeString(r.query("cursor"))
	if err != nil {
		return List[V]{}, invalid("cursor", "The parameter \"cursor\" must be \"next\" of the page before.")
	}
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b T) int { return strings.Compare(key(&a), key(&b)) })
	list := List[V]{Items: []V{}}
	last := ""
	for i := range all {
		k := key(&all[i])
		if len(after) > 0 && k <= string(after) {
			continue
		}
		if len(list.Items) == limit {
			list.Next = base64.RawURLEncoding.EncodeToString([]byte(last))
			break
		}
		list.Items, last = append(list.Items, view(&all[i])), k
	}
	return list, nil
}
