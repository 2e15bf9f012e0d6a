package web

import (
	"embed"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

//go:embed assets
var assets embed.FS

// policy lets the page load its own script and style sheet, ask this server,
// and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func (s *Server) routes() http.Handler {
	inner := http.NewServeMux()
	inner.HandleFunc("GET /{$}", s.page)
	inner.HandleFunc("GET /node", s.node)
	inner.HandleFunc("GET /node/log", s.nodeLog)
	inner.HandleFunc("GET /events", s.events)
	inner.HandleFunc("GET /status.json", s.statusJSON)
	inner.HandleFunc("GET /readyz", s.ready)
	inner.Handle("GET /metrics", s.metrics())
	inner.HandleFunc("POST /order", s.order)
	for _, name := range []string{"page.js", "page.css"} {
		inner.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) {
			http.ServeFileFS(w, r, assets, "assets/"+name)
		})
	}
	outer := http.NewServeMux()
	outer.HandleFunc("GET /healthz", healthy)
	outer.Handle("/", s.known(s.admitted(inner)))
	return headers(outer)
}

// headers are those of every answer. The origin of a form is not told under the
// stricter no-referrer (Fetch standard, "append a request Origin header").
func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// known refuses requests under a name that is not this machine's. A web site
// can give its own name the address 127.0.0.1, and its scripts could then read
// what is served there as if it were the site's.
func (s *Server) known(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.local && !s.isOurs(r.Host) {
			http.Error(w, fmt.Sprintf("this is not %.100q", r.Host), http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isOurs reports whether a Host header names the loopback interface.
func (s *Server) isOurs(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().IsLoopback()
	}
	return strings.EqualFold(host, "localhost") || strings.EqualFold(host, s.host)
}

func healthy(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) }

func (s *Server) ready(w http.ResponseWriter, _ *http.Request) {
	if err := s.daemon.Ready(); err != nil {
		http.Error(w, visible(err.Error()), http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ready\n"))
}

func (s *Server) statusJSON(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false) // as the command prints it
	_ = e.Encode(s.daemon.Status())
}
