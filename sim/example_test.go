package sim_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"responsehub/sim"
)

// A world on free ports, with something in the hub's place that takes whatever Teams posts.
func Example() {
	hub := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer hub.Close()
	world, err := sim.New(sim.Options{Listen: "127.0.0.1:0", HubURL: hub.URL, NoInstall: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer world.Stop()
	if err := world.Start(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	said, err := world.Play(context.Background(), sim.Act{Do: "deliver", Tenant: "Fabrikam"})
	fmt.Println(said, err)
	fmt.Println(world.Scenes[1].Victim.UPN, world.Scenes[1].Victim.Enabled())
	// Output:
	// A new phish is in the inbox of Sam Lee. <nil>
	// pat@fabrikam.example true
}
