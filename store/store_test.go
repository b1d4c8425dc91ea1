package store_test

import (
	"testing"

	"github.com/redis/go-redis/v9"

	"responsehub/store/storetest"
)

func TestInProcess(t *testing.T) { storetest.Bubble(t) }

func TestRedisServer(t *testing.T) {
	t.Parallel()
	rdb := storetest.Redis(t).Client()
	storetest.Run(t, func(*testing.T) redis.UniversalClient { return rdb })
}

func TestRedisCluster(t *testing.T) {
	t.Parallel()
	rdb := storetest.Cluster(t)
	storetest.Run(t, func(*testing.T) redis.UniversalClient { return rdb })
}
