package app

import (
	"context"
	"os"

	"responsehub/connectors/transport"
	"responsehub/remediation"
	"responsehub/trace"
)

// buildTrace makes the tracer, where the environment asks for one.
func (a *App) buildTrace(opts Options) (err error) {
	if !trace.On(os.Getenv) {
		return nil
	}
	a.trace, err = trace.Start(context.Background(), opts.Version, a.log.With("part", "trace"))
	return err
}

// outbound is how everything goes out.
func (a *App) outbound(opts Options) transport.Config {
	cfg := transport.Config{Version: opts.Version, CAFile: a.cfg.Outbound.CAFile}
	if a.trace != nil {
		cfg.Around = a.trace.Request
	}
	return cfg
}

// aroundTurns is put around each turn of a lane.
func (a *App) aroundTurns() remediation.Around {
	if a.trace == nil {
		return nil
	}
	return a.trace.Turn
}
