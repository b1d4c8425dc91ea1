package connectwise

import (
	"strconv"
	"testing"

	"responsehub/sim/desk"
)

func itoa(n int) string { return strconv.Itoa(n) }

func TestConditions(t *testing.T) {
	r := desk.Record{
		"id": 7, "summary": "Account takeover: pat", "externalXRef": "RH-7K2M", "closedFlag": false, "board": desk.Record{"id": 1, "name": "Security"},
		"closedDate": "2026-11-20T10:00:00Z", "communicationItems": []any{desk.Record{"value": "pat@contoso.example", "communicationType": "Email"}},
	}
	for query, want := range map[string]bool{
		``:                       true,
		`id=7`:                   true,
		`id != 7`:                false,
		`id>=7 and id<8`:         true,
		`id in (1, 7)`:           true,
		`id not in (1,7)`:        false,
		`externalXRef="rh-7k2m"`: true,
		`summary contains "TAKEOVER" and closedFlag=False`: true,
		`summary like "account*pat"`:                       true,
		`summary not like "*x*"`:                           true,
		`board/name = "Security" and (id=1 or id=7)`:       true,
		`id=1 or id=7 and closedFlag = True`:               false,
		`closedDate > [2026-11-19T00:00:00Z]`:              true,
		`owner/id = 3`:                                     false,
		`owner = null`:                                     true,
		`communicationItems/value="pat@contoso.example" and communicationItems/communicationType="Email"`: true,
	} {
		fits, err := conditions(query, nil)
		if err != nil {
			t.Errorf("%s: %v", query, err)
		} else if fits(r) != want {
			t.Errorf("%s: %t", query, !want)
		}
	}
	for _, query := range []string{`id`, `id=`, `=7`, `id="x`, `id=x`, `(id=7`, `id=7)`, `id in 7`, `id in (7`, `id=[yesterday]`, `id=7 or`, `id ~ 7`, `summary='x'`} {
		if _, err := conditions(query, nil); err == nil {
			t.Errorf("%s was taken", query)
		}
	}
}

func FuzzConditions(f *testing.F) {
	for _, seed := range []string{`externalXRef="RH-1" and closedFlag=False`, `id in (1,2,3)`, `((a/b like "*x*"))`, `d>[2026-11-19T00:00:00Z]`, `a not contains "x" or b != null`, `A=""0`} {
		f.Add(seed)
	}
	r := desk.Record{"id": 1, "a": desk.Record{"b": "xyz"}, "list": []any{desk.Record{"v": 1.5}, nil, "s"}}
	f.Fuzz(func(t *testing.T, query string) {
		fits, err := conditions(query, nil)
		if (fits == nil) == (err == nil) {
			t.Fatalf("test %v with error %v", fits != nil, err)
		}
		if err == nil && fits(r) != fits(r.Clone()) {
			t.Fatal("a copy fits otherwise")
		}
	})
}
