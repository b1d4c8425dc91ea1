package main

import (
	"context"
	"strings"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// trips counts round trips to Redis by what they are for. The bells and the looks for
// due lanes are left out: an idle hub asks them all the time.
type trips struct {
	opening  atomic.Int64 // pipelines: only opening has any
	claiming atomic.Int64
	settling atomic.Int64 // everything else
}

// DialHook counts nothing.
func (t *trips) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook counts single commands.
func (t *trips) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		args := cmd.Args()
		first := "" // the first key of a script
		if cmd.Name() == "evalsha" && len(args) > 3 {
			first, _ = args[3].(string)
		}
		switch {
		case cmd.Name() != "evalsha" || args[2] == 1 && strings.HasSuffix(first, ":due") || strings.HasSuffix(first, ":lanes"):
		case strings.HasSuffix(first, ":due"):
			t.claiming.Add(1)
		default:
			t.settling.Add(1)
		}
		return next(ctx, cmd)
	}
}

// ProcessPipelineHook counts pipelines.
func (t *trips) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		t.opening.Add(1)
		return next(ctx, cmds)
	}
}
