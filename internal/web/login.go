package web

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	guessBurst = 10          // wrong tokens from an address, before it has to wait
	guessEvery = time.Second // one more
	maxGuesses = 1024        // addresses that are remembered
)

// wanted is what somebody reads who has no token.
const wanted = "inosyncd wants its token: as the password, with any user name, or as Authorization: Bearer TOKEN. " +
	"It is the first line of the file of the configuration's name that ends in .token."

var (
	errWrongToken = errors.New("wrong token")
	errGuesses    = errors.New("too many wrong tokens: wait a little")
)

// key is what is kept of a token: enough to know it again.
type key [sha256.Size]byte

func newKey(token string) *key {
	if token == "" {
		return nil
	}
	k := key(sha256.Sum256([]byte(token)))
	return &k
}

// opens reports whether token is the one; how long that takes tells nothing.
func (k *key) opens(token string) bool {
	sum := sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(sum[:], k[:]) == 1
}

// admitted asks for the token where there is one.
func (s *Server) admitted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k := s.key.Load()
		if k == nil {
			next.ServeHTTP(w, r)
			return
		}
		token, ok := offered(r)
		if !ok {
			refuse(w, wanted)
			return
		}
		switch err := s.guesses.judge(r.RemoteAddr, func() bool { return k.opens(token) }); {
		case errors.Is(err, errGuesses):
			w.Header().Set("Retry-After", "1") // guessEvery
			http.Error(w, err.Error(), http.StatusTooManyRequests)
		case err != nil:
			s.log.Warn("login on the web page refused", "from", r.RemoteAddr, "err", err)
			refuse(w, err.Error()+". "+wanted)
		default:
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), entryKey{}, k)))
		}
	})
}

// entered is the key that a request has come in with, nil where none was asked
// for. It need not be the server's any more.
func entered(r *http.Request) *key {
	k, _ := r.Context().Value(entryKey{}).(*key)
	return k
}

// entryKey is that of the key in a request's context.
type entryKey struct{}

func refuse(w http.ResponseWriter, why string) {
	w.Header().Add("WWW-Authenticate", `Basic realm="inosyncd", charset="UTF-8"`) // RFC 7617
	w.Header().Add("WWW-Authenticate", `Bearer realm="inosyncd"`)                 // RFC 6750
	w.Header().Set("Connection", "close")                                         // an order may not have been read
	http.Error(w, why, http.StatusUnauthorized)
}

// offered is the token that a request comes with.
func offered(r *http.Request) (token string, ok bool) {
	if _, token, ok = r.BasicAuth(); ok {
		return token, true
	}
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	return token, ok && strings.EqualFold(scheme, "Bearer")
}

// guesses bounds how many tokens an address can try. Who waits is not judged,
// right or wrong: otherwise the right one would tell itself from the others.
type guesses struct {
	mu   sync.Mutex
	from map[netip.Prefix]*rate.Limiter // guarded by mu; those who were wrong lately
}

// judge asks right about the token that came from an address, unless the
// address has to wait.
func (g *guesses) judge(from string, right func() bool) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	who := network(from)
	l := g.from[who]
	if l != nil && l.Tokens() < 1 {
		return errGuesses
	}
	if right() {
		return nil
	}
	if l == nil {
		l = rate.NewLimiter(rate.Every(guessEvery), guessBurst)
		g.remember(who, l)
	}
	l.Allow()
	return errWrongToken
}

// remember makes room for one more: those go that could be new ones, and if
// there is none, any.
func (g *guesses) remember(who netip.Prefix, l *rate.Limiter) {
	if g.from == nil {
		g.from = map[netip.Prefix]*rate.Limiter{}
	}
	if len(g.from) >= maxGuesses {
		for who, l := range g.from {
			if l.Tokens() >= guessBurst {
				delete(g.from, who)
			}
		}
	}
	for other := range g.from {
		if len(g.from) < maxGuesses {
			break
		}
		delete(g.from, other)
	}
	g.from[who] = l
}

// network is whom an address belongs to: of IPv6, a whole /64 is one's own.
func network(addr string) netip.Prefix {
	host, _, _ := net.SplitHostPort(addr)
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Prefix{}
	}
	ip = ip.Unmap().WithZone("")
	p, _ := ip.Prefix(min(ip.BitLen(), 64))
	return p
}
