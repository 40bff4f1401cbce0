import { render } from "preact";
import "uplot/dist/uPlot.min.css";
import { App } from "./app";
import "./style/index.css";
import { applyTheme } from "./theme";

applyTheme();
render(<App />, document.getElementById("app")!);
