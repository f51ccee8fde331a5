import { useEffect, useState } from "preact/hooks";
import { backendVersion } from "./api";
import { contacts } from "./contacts";
import { deals } from "./deals";
import { RecordsPage } from "./records-page";
import { version } from "./version";

/** The part of the address after #: a page that is reloaded or sent to somebody stays the same page. */
function usePage(): string {
  const [page, setPage] = useState(location.hash);
  useEffect(() => {
    const follow = () => setPage(location.hash);
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return page === "#deals" ? "deals" : "contacts";
}

export function App() {
  const page = usePage();
  return (
    <>
      <header>
        <a class="brand" href="#contacts">
          <img src="/favicon.svg" alt="" width="28" height="28" />
          Small CRM
        </a>
        <nav aria-label="Pages">
          {[contacts, deals].map(({ path, title }) => (
            <a key={path} href={`#${path}`} aria-current={path === page ? "page" : undefined}>
              {title}
            </a>
          ))}
        </nav>
      </header>
      {page === "deals" ? (
        <RecordsPage key={page} kind={deals} />
      ) : (
        <RecordsPage key={page} kind={contacts} />
      )}
      <Versions />
    </>
  );
}

function Versions() {
  const [backend, setBackend] = useState("…");
  useEffect(() => {
    backendVersion()
      .then(setBackend)
      .catch(() => setBackend("not reachable"));
  }, []);
  return (
    <footer>
      <span>
        Frontend <b id="frontend-version">{version}</b>
      </span>
      <span>
        Backend <b id="backend-version">{backend}</b>
      </span>
    </footer>
  );
}
