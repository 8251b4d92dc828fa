// Keeps the app's own links within the open page (no reload), and brings a place of the article into view.
// Without it everything still works: the links are plain links.
(() => {
  if (window.litsearchReady) return;
  window.litsearchReady = true;

  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const anchor = event.target.closest ? event.target.closest(".stHtml a[target='_self']") : null;
    if (!anchor) return;
    const address = anchor.getAttribute("href") || "";
    if (address === "#print") {
      event.preventDefault();
      window.print();
    } else if (address.startsWith("#")) {
      event.preventDefault();
      window.litsearchArrive(decodeURIComponent(address.slice(1)));
    } else if (address.startsWith("?")) {
      event.preventDefault();
      window.history.pushState({}, "", address);
      window.dispatchEvent(new PopStateEvent("popstate", { state: {} }));
      const main = document.querySelector(".stMain");
      if (main) main.scrollTop = 0;
    }
  });

  // An explanation can be put away without moving the pointer or the focus, and comes back with the next of either.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    document.querySelectorAll("dfn.term:hover, dfn.term:focus").forEach((term) => term.classList.add("away"));
  });
  for (const left of ["mouseout", "focusout"]) {
    document.addEventListener(left, (event) => {
      if (event.target.classList && event.target.classList.contains("away")) event.target.classList.remove("away");
    });
  }

  window.litsearchArrive = (id) => {
    // The page may still be drawing: look again for two seconds.
    let tries = 0;
    const look = () => {
      const place = document.getElementById(id);
      if (place) {
        place.scrollIntoView({ block: "center" });
        place.setAttribute("tabindex", "-1");
        place.focus({ preventScroll: true });
      } else if (tries++ < 40) {
        window.setTimeout(look, 50);
      }
    };
    look();
  };
})();
