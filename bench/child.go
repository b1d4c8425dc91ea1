package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/pprof"
	"syscall"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/redis/go-redis/v9"
	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"responsehub"
	"responsehub/app"
	"responsehub/intake"
	"responsehub/remediation"
	"responsehub/store"
)

// A server that is measured runs as a process of its own, so that its CPU time is its
// own. The environment tells it what it is and where Redis is.
const (
	childEnv   = "RESPONSEHUB_BENCH_CHILD" // hub, floor, town or whole
	redisEnv   = "RESPONSEHUB_BENCH_REDIS"
	profileEnv = "RESPONSEHUB_BENCH_PROFILE" // file for its CPU profile
	ordersEnv  = "RESPONSEHUB_BENCH_ORDERS"  // of town and whole, in JSON
)

// secret signs the alerts. It is good for nothing else.
const secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX" //nolint:gosec // of this benchmark only

// tenantID is the one customer; Response is off.
const tenantID = "11111111-1111-4111-8111-111111111111"

// child serves until standard input ends. Each line there is answered by the CPU time
// used so far, in microseconds.
func child(kind string) error {
	switch kind {
	case "town":
		return serveTown()
	case "whole":
		return serveWhole()
	}
	rdb, err := store.Open(store.Config{Addrs: []string{os.Getenv(redisEnv)}})
	if err != nil {
		return err
	}
	defer rdb.Close()
	if path := os.Getenv(profileEnv); path != "" {
		f, err := os.Create(path)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	if kind == "hub" {
		app.TuneMemory() // as serve does
		err = mountHub(e, rdb)
	} else {
		err = mountFloor(e, rdb)
	}
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: e, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 60 * time.Second}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	fmt.Fprintln(os.Stdout, l.Addr())
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		fmt.Fprintln(os.Stdout, cpu().Microseconds())
	}
	_ = srv.Close()
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// cpu is the processor time this process used.
func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// mountHub mounts the real door on the real engine, without followers.
func mountHub(e *echo.Echo, rdb redis.UniversalClient) error {
	log := slog.New(slog.NewJSONHandler(io.Discard, nil)) //nolint:sloglint // lines cost what they cost in the hub, but for writing them
	dir := store.NewDirectory(rdb, log)
	err := dir.Apply(context.Background(), responsehub.Hub.By(), []responsehub.Tenant{{V: 1, ID: "contoso", Name: "Contoso", MicrosoftTenantID: tenantID}}, nil)
	if err != nil {
		return err
	}
	s := store.New(rdb)
	hub, err := remediation.New(s, s, remediation.Config{Key: make([]byte, remediation.KeySize), Tenants: dir}, log)
	if err != nil {
		return err
	}
	in, err := intake.New(intake.Config{Sources: []intake.Source{{Name: "detector", Kind: intake.StandardWebhooks, Secrets: []responsehub.Secret{secret}}}}, hub, log)
	if err != nil {
		return err
	}
	e.POST("/v1/alerts/:source", func(c echo.Context) error {
		in.Serve(c.Response(), c.Request(), c.Param("source"))
		return nil
	})
	return nil
}

// floorWrite is the least that keeps an incident: state, record and list together.
var floorWrite = redis.NewScript(`
redis.call('HSET', KEYS[1], 'doc', ARGV[1], 'ver', '1')
redis.call('RPUSH', KEYS[2], ARGV[2])
redis.call('ZADD', KEYS[3], 1, KEYS[1])
return 1`)

// mountFloor mounts the least that could be called durable: the same framework, the
// same proof of the sender, and one write of as many bytes as the hub writes.
func mountFloor(e *echo.Echo, rdb redis.UniversalClient) error {
	key, err := webhooks.NewWebhook(secret)
	if err != nil {
		return err
	}
	doc, event, err := written()
	if err != nil {
		return err
	}
	e.POST("/v1/alerts/:source", func(c echo.Context) error {
		body, err := io.ReadAll(io.LimitReader(c.Request().Body, 1<<20))
		if err != nil {
			return err
		}
		if err := key.Verify(body, c.Request().Header); err != nil {
			return c.NoContent(http.StatusUnauthorized)
		}
		id := c.Request().Header.Get(webhooks.HeaderWebhookID)
		if err := floorWrite.Run(c.Request().Context(), rdb, []string{"{f}:inc:" + id, "{f}:events:" + id, "{f}:list"}, doc, event).Err(); err != nil {
			return err
		}
		return c.JSON(http.StatusAccepted, map[string]string{"incident": id})
	})
	return nil
}

// written is what the hub stores for one alert: its document and its first event.
func written() (doc, event []byte, err error) {
	var a responsehub.Alert
	if err := json.Unmarshal(alert("sample", 1), &a); err != nil {
		return nil, nil, err
	}
	inc := responsehub.NewIncident(remediation.NewID("a", time.Now()), "RH-2345", time.Now(), "detector", &a, responsehub.TenantRef{ID: "contoso", Name: "Contoso", MicrosoftTenantID: tenantID}, false)
	stored, _, err := responsehub.Chain(0, "", inc.TakeEvents())
	if err != nil {
		return nil, nil, err
	}
	doc, err = json.Marshal(inc)
	return doc, stored[0], err
}

// alert is a typical alert for an account of its own.
func alert(run string, n int) []byte {
	b, err := json.Marshal(map[string]any{
		"version": "1", "id": fmt.Sprintf("%s-%d", run, n), "detected_at": "2026-01-02T03:04:05Z",
		"tenant":   map[string]any{"microsoft_tenant_id": tenantID},
		"account":  map[string]any{"object_id": fmt.Sprintf("22222222-2222-4222-8222-%012d", n), "user_principal_name": fmt.Sprintf("user-%s-%d@contoso.example", run, n), "display_name": "Pat Doe"},
		"severity": "critical", "title": "Account takeover", "summary": "Sign-in from a new country, then an inbox rule and many mails.",
		"link": "https://detector.example/incidents/1",
		"evidence": []any{
			map[string]any{"at": "2026-01-02T03:00:00Z", "kind": "sign_in", "text": "Sign-in from a country never seen before", "ip": "203.0.113.7", "country": "NL"},
			map[string]any{"at": "2026-01-02T03:01:00Z", "kind": "rule", "text": "Inbox rule moves everything to RSS Feeds"},
			map[string]any{"at": "2026-01-02T03:02:00Z", "kind": "mail", "text": "240 mails with the same link were sent"},
		},
		"phish":       []any{map[string]any{"internet_message_id": fmt.Sprintf("<%s-%d@contoso.example>", run, n)}},
		"persistence": []any{map[string]any{"kind": "inbox_rule", "id": "rule-1", "name": "."}},
	})
	if err != nil {
		panic("bench: a map of strings does not encode: " + err.Error())
	}
	return b
}
