package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"responsehub"
	"responsehub/app"
	"responsehub/config"
)

// wholeSays is what the hub's process used so far.
type wholeSays struct {
	Resident int // bytes, the most there ever were
	Now      int // bytes of memory right now
	CPU      int // milliseconds
}

// serveWhole is a process that is the whole hub, as serve is, with the configuration at a path.
func serveWhole() error {
	var path string
	if err := orders(&path); err != nil {
		return err
	}
	cfg, _, err := config.Load(path)
	if err != nil {
		return err
	}
	app.TuneMemory() // as serve does
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	hub, err := app.New(cfg, app.Options{Version: "bench", BootstrapKey: responsehub.Secret(apiKey), Log: log})
	if err != nil {
		return err
	}
	if err := hub.Start(context.Background()); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	defer hub.Stop()
	used := func() any {
		return wholeSays{Resident: resident("VmHWM:"), Now: resident("VmRSS:"), CPU: int(cpu().Milliseconds())}
	}
	return converse(used(), used)
}
