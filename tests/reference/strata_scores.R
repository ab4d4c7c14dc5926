# Scores of a stratified sample: Rscript strata_scores.R, in this folder; writes strata_scores.json.
library(survey)
library(jsonlite)
options(survey.lonely.psu = "adjust", digits = 15)
d <- read.csv("strata_respondents.csv", colClasses = c(cluster = "character"))
d$y <- ifelse(d$score >= 9, 1, ifelse(d$score <= 6, -1, 0))
designs <- list(
  strata_clusters_weights = svydesign(ids = ~cluster, strata = ~stratum, weights = ~design_weight, data = d, nest = TRUE),
  strata_clusters = svydesign(ids = ~cluster, strata = ~stratum, weights = ~1, data = d, nest = TRUE),
  strata_weights = svydesign(ids = ~1, strata = ~stratum, weights = ~design_weight, data = d)
)
score <- function(design) {
  all <- svymean(~y, design)
  by <- svyby(~y, ~region, design, svymean, covmat = TRUE)
  pairs <- list(c(1, 2), c(1, 3), c(2, 3))
  contrasts <- lapply(pairs, function(p) {
    w <- numeric(3)
    w[p] <- c(-1, 1)
    svycontrast(by, w)
  })
  list(
    nps = coef(all)[[1]], se = SE(all)[[1]], degf = degf(design), ci95_t = as.numeric(confint(all, df = degf(design))),
    groups = by$region, group_nps = as.numeric(coef(by)), group_se = as.numeric(SE(by)), group_vcov = vcov(by),
    difference = sapply(contrasts, function(x) coef(x)[[1]]), difference_se = sapply(contrasts, function(x) SE(x)[[1]])
  )
}
meta <- list(R = R.version.string, survey = as.character(packageVersion("survey")))
write(toJSON(c(list(meta = meta), lapply(designs, score)), digits = NA, auto_unbox = TRUE, pretty = TRUE), "strata_scores.json")
