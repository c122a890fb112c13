// Judges objects by ValidatingAdmissionPolicies, with the code that the Kubernetes API server does it with.
//
// It reads {"version": "1.30", "policies": [...], "bindings": [...], "objects": [...]} and prints, for each policy and
// object that its matchConstraints name, one decision for each validation: {"policy", "object", "decisions": [{"admit",
// "error", "message"}]}. What does not compile is {"policy", "errors"}. A field that the API has not is an error.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	celgo "github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	v1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apiserver/pkg/admission"
	plugin "k8s.io/apiserver/pkg/admission/plugin/cel"
	limits "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/environment"
)

type asked struct {
	Version  string                                `json:"version"`
	Policies []v1.ValidatingAdmissionPolicy        `json:"policies"`
	Bindings []v1.ValidatingAdmissionPolicyBinding `json:"bindings"`
	Objects  []unstructured.Unstructured           `json:"objects"`
}

type decision struct {
	Admit   bool   `json:"admit"`
	Error   string `json:"error,omitempty"`
	Message string `json:"message,omitempty"`
}

type answer struct {
	Policy    string     `json:"policy"`
	Object    string     `json:"object,omitempty"`
	Kind      string     `json:"kind,omitempty"`
	Errors    []string   `json:"errors,omitempty"`
	Decisions []decision `json:"decisions,omitempty"`
}

// An expression with the type that it must have.
type expression struct {
	text   string
	wanted *celgo.Type
}

func (e expression) GetExpression() string      { return e.text }
func (e expression) ReturnTypes() []*celgo.Type { return []*celgo.Type{e.wanted} }

func main() {
	var given asked
	decoder := json.NewDecoder(os.Stdin)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&given); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	compiler := plugin.NewConditionCompiler(environment.MustBaseEnvSet(version.MustParse(given.Version), true))
	found := []answer{}
	for i := range given.Policies {
		found = append(found, ask(compiler, &given.Policies[i], given.Objects)...)
	}
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func ask(compiler plugin.ConditionCompiler, policy *v1.ValidatingAdmissionPolicy, objects []unstructured.Unstructured) []answer {
	var holds, says []plugin.ExpressionAccessor
	for _, one := range policy.Spec.Validations {
		holds = append(holds, expression{one.Expression, celgo.BoolType})
		if one.MessageExpression == "" {
			says = append(says, nil)
		} else {
			says = append(says, expression{one.MessageExpression, celgo.StringType})
		}
	}
	options := plugin.OptionalVariableDeclarations{StrictCost: true}
	held := compiler.CompileCondition(holds, options, environment.NewExpressions)
	said := compiler.CompileCondition(says, options, environment.NewExpressions)
	var errors []string
	for _, one := range append(held.CompilationErrors(), said.CompilationErrors()...) {
		errors = append(errors, one.Error())
	}
	if len(errors) > 0 {
		return []answer{{Policy: policy.Name, Errors: errors}}
	}
	found := []answer{}
	for i := range objects {
		object := &objects[i]
		if slices.Contains(resources(policy), strings.ToLower(object.GetKind())+"s") {
			found = append(found, answer{
				Policy: policy.Name, Object: object.GetName(), Kind: object.GetKind(),
				Decisions: decide(policy, held, said, object),
			})
		}
	}
	return found
}

func resources(policy *v1.ValidatingAdmissionPolicy) []string {
	var found []string
	for _, rule := range policy.Spec.MatchConstraints.ResourceRules {
		found = append(found, rule.Resources...)
	}
	return found
}

func decide(policy *v1.ValidatingAdmissionPolicy, held, said plugin.ConditionEvaluator, object *unstructured.Unstructured) []decision {
	kind := object.GroupVersionKind()
	resource := kind.GroupVersion().WithResource(strings.ToLower(kind.Kind) + "s")
	attributes := admission.NewAttributesRecord(object, nil, kind, "", object.GetName(), resource, "",
		admission.Create, &metav1.CreateOptions{}, false, nil)
	versioned := &admission.VersionedAttributes{Attributes: attributes, VersionedObject: object, VersionedKind: kind}
	request := plugin.CreateAdmissionRequest(attributes, metav1.GroupVersionResource(resource), metav1.GroupVersionKind(kind))
	results, left, err := held.ForInput(context.Background(), versioned, request, plugin.OptionalVariableBindings{}, nil, limits.RuntimeCELCostBudget)
	if err != nil {
		return []decision{{Error: err.Error()}}
	}
	texts, _, err := said.ForInput(context.Background(), versioned, request, plugin.OptionalVariableBindings{}, nil, left)
	if err != nil {
		return []decision{{Error: err.Error()}}
	}
	found := []decision{}
	for i, result := range results {
		switch {
		case result.Error != nil:
			found = append(found, decision{Error: result.Error.Error()})
		case result.EvalResult == types.True:
			found = append(found, decision{Admit: true})
		default:
			found = append(found, decision{Message: message(policy.Spec.Validations[i], texts[i])})
		}
	}
	return found
}

func message(validation v1.Validation, text plugin.EvaluationResult) string {
	if text.Error == nil && text.EvalResult != nil {
		if said, ok := text.EvalResult.Value().(string); ok && strings.TrimSpace(said) != "" && !strings.Contains(said, "\n") {
			return said
		}
	}
	return validation.Message
}
