// An HTTP server and its client in one program, over the cell's own loopback.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

func main() {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /greet/{name}", func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(map[string]string{"hello": r.PathValue("name")})
	})
	mux.HandleFunc("POST /upper", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprint(w, strings.ToUpper(string(body)))
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go http.Serve(listener, mux)
	url := "http://" + listener.Addr().String()
	show := func(response *http.Response, err error) {
		if err != nil {
			panic(err)
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		fmt.Println(response.StatusCode, response.Header.Get("Content-Type"), strings.TrimSpace(string(body)))
	}
	show(http.Get(url + "/greet/Ada"))
	show(http.Post(url+"/upper", "text/plain", strings.NewReader("grüße")))
	show(http.Get(url + "/nowhere"))
	show(http.Post(url+"/greet/x", "text/plain", nil))
}
