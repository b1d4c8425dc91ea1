package app

import (
	"log/slog"
	"net/http"
	"net/http/pprof" // #nosec G108 -- mounted by hand, behind a switch; nothing serves the default mux
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"responsehub/api"
)

// handler mounts every door of the hub.
func (a *App) handler(programs *api.API) http.Handler {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = api.ErrorHandler
	e.Use(middleware.RecoverWithConfig(middleware.RecoverConfig{
		DisablePrintStack: true,
		LogErrorFunc: func(c echo.Context, err error, stack []byte) error {
			a.log.Error("request panicked", "path", c.Path(), "error", err, "stack", string(stack))
			return err
		},
	}), securityHeaders, a.access)
	e.GET("/healthz", a.health.alive)
	e.GET("/readyz", a.health.ready)
	e.Any("/v1/alerts/:source", func(c echo.Context) error {
		if a.trace == nil { // nothing is in the way of an alert that need not be there
			a.intake.Serve(c.Response(), c.Request(), c.Param("source"))
			return nil
		}
		a.trace.Alerts(func(w http.ResponseWriter, r *http.Request) { a.intake.Serve(w, r, c.Param("source")) })(c.Response(), c.Request())
		return nil
	})
	if a.bot != nil {
		e.Any("/api/messages", echo.WrapHandler(a.bot))
	}
	if a.phone != nil {
		e.Any("/twilio/*", echo.WrapHandler(a.phone.Inbound(a.pager)))
	}
	e.Any("/psa/:connection/events", func(c echo.Context) error {
		a.psa.inbound.Serve(c.Response(), c.Request(), c.Param("connection"))
		return nil
	})
	programs.Register(e)
	pages := echo.WrapHandler(a.console)
	e.Any("/", pages)
	e.Any("/*", pages)
	return e
}

// securityHeaders are right for every answer of a hub that serves no pages to frame
// and nothing to sniff.
func securityHeaders(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		return next(c)
	}
}

// access logs each request by its route, never with its query or headers.
func (a *App) access(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		start := time.Now()
		err := next(c)
		if err != nil {
			c.Error(err)
		}
		level := slog.LevelDebug
		if c.Response().Status >= 500 {
			level = slog.LevelError
		}
		a.log.Log(c.Request().Context(), level, "request", "method", c.Request().Method, "route", c.Path(), "status", c.Response().Status, "took", time.Since(start))
		return nil
	}
}

// adminHandler serves what the hub counts, and profiles where they are switched on: whoever
// can ask for them can slow the hub down.
func (a *App) adminHandler() http.Handler {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	reg.MustRegister(a.engine.Collectors()...)
	if a.phone != nil {
		reg.MustRegister(a.phone.Collectors()...)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	if a.cfg.Server.Pprof {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("POST /debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	return mux
}

// server returns a server with bounds on everything a stranger can draw out.
func server(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 60 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}
