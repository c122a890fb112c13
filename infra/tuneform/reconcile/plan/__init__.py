"""The planner: desired × observed → actions. Pure: no port is called here.

A plan is deterministic: the same specs and the same world give the same actions in the same order.
"""

from tuneform.reconcile.plan.project import Item, Plan, plan_project
from tuneform.reconcile.plan.serving import ServingPlan, plan_serving
from tuneform.reconcile.plan.tuning import TuningPlan, plan_tuning

__all__ = ["Item", "Plan", "ServingPlan", "TuningPlan", "plan_project", "plan_serving", "plan_tuning"]
