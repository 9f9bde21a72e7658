import { render } from "preact";
import { App } from "./App";
import { connect } from "./state";
import "./style.css";

const page = document.getElementById("page");
if (page) render(<App />, page);
void connect();
